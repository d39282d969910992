"""The HTTP and WebSocket server of one process: daphne with our protocols, and an ordered end."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from daphne.server import Server  # first: it chooses the reactor

from tracker.logs import path_only
from tracker.server.http import LimitedHTTPFactory, LimitedRequest
from tracker.server.sockets import FRAME_LIMIT_BYTES, LimitedSocket, LimitedSocketFactory

# isort: split
from twisted.internet import defer, reactor
from twisted.logger import globalLogBeginner

GRACE_SECONDS: Final = 5
_NEVER: Final = -1
_SOCKET_ACTIONS: Final = ("connected", "disconnected", "rejected")
_log = structlog.get_logger("tracker.access")


class ProductServer(Server):
    """Serves an ASGI application on a socket that listens already."""

    def __init__(self, application: Any, listener: socket.socket, *, ready: Callable[[], None]) -> None:
        self.listener = listener
        self.port: Any = None
        super().__init__(
            application,
            endpoints=["given"],  # not used: the socket is bound before, so that a taken port is known
            ready_callable=ready,
            websocket_timeout=_NEVER,
            server_name="",
        )

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT; return when every connection has ended."""
        self.connections: dict[Any, dict[str, Any]] = {}
        self.http_factory = LimitedHTTPFactory(self)
        self.ws_factory = LimitedSocketFactory(self, server="")
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxFramePayloadSize=FRAME_LIMIT_BYTES,
            maxMessagePayloadSize=FRAME_LIMIT_BYTES,
            failByDrop=False,  # so that a client reads why: 1009, 1007
        )
        nowhere: Any = lambda _: None  # noqa: E731
        globalLogBeginner.beginLoggingTo([nowhere], redirectStandardIO=False, discardBuffer=True)
        _reactor.callLater(1, self.application_checker)
        _reactor.callLater(2, self.timeout_checker)
        self.port = _reactor.adoptStreamPort(self.listener.fileno(), self.listener.family, self.http_factory)
        self.listener.close()
        asyncio.set_event_loop(_reactor._asyncioEventloop)
        _reactor.addSystemEventTrigger("before", "shutdown", self._end)
        _reactor.callWhenRunning(self.ready_callable)
        _reactor.run()

    async def handle_reply(self, protocol: LimitedRequest | LimitedSocket, message: dict[str, Any]) -> None:
        """Send a message of the application, and return when the client may have the next."""
        await super().handle_reply(protocol, message)
        await protocol.drain.wait()

    def log_action(self, protocol: str, action: str, details: dict[str, Any]) -> None:
        """Log the coming and going of sockets; requests are logged by the middleware."""
        if protocol == "websocket" and action in _SOCKET_ACTIONS:
            _log.info(f"socket {action}", path=path_only(details["path"]), client=details["client"])

    def kill_all_applications(self) -> None:
        """Cancel what still runs."""
        for details in self.connections.values():
            application = details.get("application_instance")
            if application is not None:
                application.cancel()

    def _end(self) -> "defer.Deferred[None]":
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end_in_order()))

    async def _end_in_order(self) -> None:
        """Take no new connection, say good-bye to sockets, let requests end, cancel the rest."""
        self.port.stopListening()
        for connection in list(self.connections):
            if isinstance(connection, LimitedSocket):
                connection.go_away()
        deadline = time.monotonic() + GRACE_SECONDS
        while self._has_requests() and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        self.kill_all_applications()
        await asyncio.sleep(0.05)

    def _has_requests(self) -> bool:
        """Whether a request has no reply yet. Streams that began are not waited for."""
        return any(
            isinstance(connection, LimitedRequest)
            and not connection._response_started
            and (application := details.get("application_instance")) is not None
            and not application.done()
            for connection, details in list(self.connections.items())
        )


_reactor: Any = reactor
