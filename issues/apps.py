"""The issues app."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IssuesConfig(AppConfig):
    """The domain: projects, workflows, issues, comments."""

    name = "issues"

    def ready(self) -> None:
        """Register jobs and checks; after each migration, let roles and search have what they lack."""
        from issues import doctor, jobs, references, work  # noqa: F401  models are ready only now
        from issues.search import checks  # noqa: F401  likewise

        post_migrate.connect(_grant, sender=self, dispatch_uid="issues.defaults")
        post_migrate.connect(_ensure_search, sender=self, dispatch_uid="issues.search")


def _grant(**_: Any) -> None:
    from accounts.role_defaults import grant_defaults  # models are ready only now
    from issues.policy import ROLE_PERMISSIONS

    grant_defaults(ROLE_PERMISSIONS, app_label="issues")


def _ensure_search(using: str, **_: Any) -> None:
    from django.db import DEFAULT_DB_ALIAS, connections  # models are ready only now

    from issues.services.search_documents import ensure_search

    tables = connections[using].introspection.table_names()
    if using == DEFAULT_DB_ALIAS and "issues_searchdocument" in tables:  # else an older state was asked for
        ensure_search()
