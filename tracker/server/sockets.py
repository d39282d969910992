"""WebSockets as the embedded server speaks them: small frames, and senders that wait for the client."""

from typing import Any, Final

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from tracker.server.drain import Drain

FRAME_LIMIT_BYTES: Final = 64 * 1024
GOING_AWAY: Final = 1001


class LimitedSocket(WebSocketProtocol):
    """A socket whose client must read. One that does not is aborted; it sees the close code 1006."""

    def connectionMade(self) -> None:  # noqa: N802  Twisted's name
        """Take the transport over from the HTTP request that became this socket."""
        self.drain = Drain(self.transport.abortConnection)
        super().connectionMade()
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.drain, True)  # noqa: FBT003  Twisted's order

    def connectionLost(self, reason: Any) -> None:  # noqa: N802  Twisted's name
        """Let nobody wait for a client that has gone."""
        self.drain.stopProducing()
        super().connectionLost(reason)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:  # noqa: FBT001, FBT002, N802  daphne's
        """Send one frame to the client, unless it was given up."""
        if self.drain.is_given_up:
            return
        super().serverSend(content, binary)
        self.drain.count(len(content))

    def go_away(self) -> None:
        """Close because the server stops."""
        if self.state == self.STATE_OPEN:
            self.sendCloseFrame(code=GOING_AWAY)


class LimitedSocketFactory(WebSocketFactory):
    """Makes `LimitedSocket`s."""

    protocol = LimitedSocket
