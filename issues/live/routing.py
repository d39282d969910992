"""The addresses of sockets. The server closes every other one with 4404."""

from typing import Any, Final

from django.urls import re_path

from issues.live.sockets import live_socket

_application: Final[Any] = live_socket  # Django types its routes for views alone

websocket_urlpatterns = [
    re_path(r"^ws/?$", _application),
    re_path(r"^ws/projects/(?P<project_key>[^/]{1,40})/?$", _application),
    re_path(r"^ws/teams/(?P<team_id>[^/]{1,40})/?$", _application),
]
