"""The ASGI application: pages, the API, the event stream and sockets."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")

http_application = get_asgi_application()

from issues.live.routing import websocket_urlpatterns  # noqa: E402  models are ready only now

NOT_FOUND = 4404


async def refuse_unknown_path(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accept a socket on a path that does not exist, and close it with a code that a client can read."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": NOT_FOUND})


# The stubs know views only.
_every_other_path = re_path(r"", refuse_unknown_path)  # type: ignore[arg-type]

application = ProtocolTypeRouter(
    {
        "http": http_application,
        "websocket": URLRouter([*websocket_urlpatterns, _every_other_path]),
    }
)
