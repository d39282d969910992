"""The site: pages, the admin, the API, its documentation, probes."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from issues.live.elsewhere import no_socket_here
from tracker.api.docs import RedocView, SchemaView, SwaggerView
from tracker.api.unknown import UnknownPathView
from tracker.web import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("api/v1/", include("tracker.api_urls")),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", SwaggerView.as_view(), name="api-docs"),
    path("api/redoc/", RedocView.as_view(), name="api-redoc"),
    re_path(r"^api/", UnknownPathView.as_view()),
    re_path(r"^ws(?P<rest>/.*)?$", no_socket_here),
    re_path(r"^health/live/?$", health.live, name="health-live"),
    re_path(r"^health/ready/?$", health.ready, name="health-ready"),
    re_path(r"^health/?$", health.ready, name="health"),
    *(
        path("", include(module))
        for module in ("accounts.urls", "issues.urls", "dashboard.urls", "transfer.urls")
        if find_spec(module) is not None
    ),
]

handler400 = "tracker.web.errors.bad_request"
handler403 = "tracker.web.errors.permission_denied"
handler404 = "tracker.web.errors.not_found"
handler500 = "tracker.web.errors.server_error"
