"""What a plain request to the address of a socket is told."""

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse

from tracker.api.errors import Refusal, plain_refusal, reply


def no_socket_here(request: HttpRequest, rest: str | None = None) -> HttpResponse:
    """Answer 426 where sockets are served, 503 naming `LIVE_URL` where they are not."""
    if isinstance(request, ASGIRequest):
        sentence = "This is the address of a WebSocket."
        return reply(
            Refusal(426, "E_VALIDATION", sentence, headers={"Upgrade": "websocket", "Connection": "Upgrade"}),
            request=request,
        )
    where = f"they are at {settings.LIVE_URL}" if settings.LIVE_URL else "their address is not set (LIVE_URL)"
    return reply(plain_refusal(503, f"This server has no sockets; {where}."), request=request)
