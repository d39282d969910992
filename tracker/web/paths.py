"""Which part of the site a request is for."""

from typing import Final

from django.http import HttpRequest

API_PREFIX: Final = "/api/"
HEALTH_PREFIX: Final = "/health"


def is_api(request: HttpRequest) -> bool:
    """Whether the reply must have the form of the API."""
    return request.path_info.startswith(API_PREFIX) or request.path_info == "/api"


def is_health(request: HttpRequest) -> bool:
    """Whether a probe asks, which may use any host name."""
    return request.path_info.startswith(HEALTH_PREFIX)
