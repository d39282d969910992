"""Whether the client came by https, as the proxies that we trust say."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from tracker.web.address import has_trusted_peer

HEADER: Final = "HTTP_X_FORWARDED_PROTO"
"""What Django's `SECURE_PROXY_SSL_HEADER` reads, whoever sent it."""


class SchemeMiddleware:
    """Takes the header off a request that comes from anybody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on."""
        if HEADER in request.META and not has_trusted_peer(request):
            del request.META[HEADER]
        return self.get_response(request)
