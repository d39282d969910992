"""The routes of `/api/v1/`, each with its closing slash; `ApiPathMiddleware` adds one that is missing."""

from importlib.util import find_spec
from typing import Final

from django.urls import URLPattern, URLResolver, include, path

# `issues/export` and `issues/import` come before `issues/{id}`.
MODULES: Final = ("accounts.api.urls", "transfer.api.urls", "issues.api.urls", "dashboard.api.urls")


def _is_there(module: str) -> bool:
    package = module.rpartition(".")[0]
    return find_spec(package) is not None and find_spec(module) is not None


urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(module)) for module in MODULES if _is_there(module)
]
