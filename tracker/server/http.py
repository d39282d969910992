"""HTTP as the embedded server speaks it: bodies are limited as they arrive, replies wait for the client."""

import io
import json
from typing import Any, Final

import structlog
from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.internet import reactor

from tracker.files.limits import form_limit_bytes
from tracker.ids import new_id
from tracker.server.drain import Drain

MIB: Final = 1024 * 1024
JSON_LIMIT_BYTES: Final = MIB
LINGER_SECONDS: Final = 5
_CODES: Final = {
    400: "E_VALIDATION",
    401: "E_UNAUTHENTICATED",
    413: "E_TOO_LARGE",
    500: "E_INTERNAL",
    503: "E_UNAVAILABLE",
}
_PAGE: Final = (
    '<!doctype html><html lang="en"><title>{reason}</title><h1>{reason}</h1><p>{sentence}</p></html>'
)
_log = structlog.get_logger("tracker.access")


def body_limit_bytes(path: str, content_type: str, *, is_known: bool = True) -> int:
    """Return how large a body may be: JSON for the API little, everything else as much as one upload.

    Of who shows neither a token nor a session (`is_known`) nothing large is read.
    """
    if not is_known:
        return JSON_LIMIT_BYTES
    if path.startswith("/api/") and content_type.partition(";")[0].strip().lower() == "application/json":
        return JSON_LIMIT_BYTES
    return form_limit_bytes(path)


class LimitedRequest(WebRequest):
    """A request that is refused as soon as its body is known to be too large; nothing of it is kept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.drain = Drain(self._abort)
        self.producer: Any = None
        self._reactor: Any = reactor
        self._is_refused = False
        self._limit_bytes = 0
        self._received_bytes = 0
        super().__init__(*args, **kwargs)
        self._parsePOSTFormSubmission = False  # Twisted would read whole forms into memory; Django reads them

    def gotLength(self, length: int | None) -> None:  # noqa: N802  Twisted's name
        """Refuse by the length that the client announces, before it sends the body."""
        self._take_request_line()
        content_type = self.requestHeaders.getRawHeaders("content-type", [""])[0]
        self._limit_bytes = body_limit_bytes(
            self.path.decode("latin1"), content_type, is_known=self._is_known()
        )
        if length is not None and length > self._limit_bytes:
            self.content = io.BytesIO()
            self._refuse()
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802  Twisted's name
        """Count a body without an announced length, and drop what comes after a refusal."""
        if self._is_refused:
            return
        self._received_bytes += len(data)
        if self._received_bytes > self._limit_bytes:
            self.content.close()
            self.content = io.BytesIO()
            self._refuse()
        else:
            super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802  Twisted's name
        """Go on to the application, unless the request was refused."""
        if not self._is_refused:
            super().requestReceived(command, path, version)

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Send a part of the reply, and learn from the transport whether the client reads it."""
        super().handle_reply(message)
        if message["type"] == "http.response.start" and not self.finished and self.channel is not None:
            self.registerProducer(self.drain, True)  # noqa: FBT003  Twisted's order

    def finish(self) -> None:
        """End the reply."""
        self._let_go()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802  Twisted's name
        """Tell the application that the client has gone."""
        self.drain.stopProducing()
        super().connectionLost(reason)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """Answer what went wrong before or outside the application, in the form of the path."""
        headers, content = self._error(status, status_text.decode(), body)
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": content})

    def _take_request_line(self) -> None:
        channel = self.channel
        self.method, self.uri, self.clientproto = channel._command, channel._path, channel._version
        self.path = self.uri.partition(b"?")[0]

    def _is_known(self) -> bool:
        """Whether something is sent by which the application may know who asks; it is checked there."""
        cookies = b"; ".join(self.requestHeaders.getRawHeaders(b"cookie", []))
        session = f"{settings.SESSION_COOKIE_NAME}=".encode()
        return self.requestHeaders.hasHeader(b"authorization") or session in cookies

    def _refuse(self) -> None:
        """Answer 413, or 401 to an upload of nobody, and hang up.

        The client may still be sending. Closing at once would reset the connection and could take the
        answer with it, so only our side is closed, and what arrives is dropped for a few seconds.
        """
        self._is_refused = True
        self.requestHeaders.removeHeader(b"expect")  # or Twisted would still ask for the body
        status, reason, sentence = self._why_refused()
        headers, content = self._error(status, reason, sentence)
        lines = [f"HTTP/1.1 {status} {reason}".encode(), b"connection: close"]
        if status == 401:
            lines.append(b"www-authenticate: Bearer")
        lines += [name + b": " + value for name, value in headers]
        lines += [b"content-length: %d" % len(content), b"", content]
        self.channel.persistent = False
        self.channel.transport.write(b"\r\n".join(lines))
        self.channel.transport.loseWriteConnection()
        self._reactor.callLater(LINGER_SECONDS, self._abort)
        _log.info(
            "refused a body",
            method=self.method.decode("latin1"),
            path=self.path.decode("latin1"),
            status=status,
            client=self.channel.getPeer().host,
        )

    def _why_refused(self) -> tuple[int, str, str]:
        content_type = self.requestHeaders.getRawHeaders("content-type", [""])[0]
        is_upload = content_type.lower().startswith("multipart/") and self.path.startswith(b"/api/")
        path = self.path.decode("latin1")
        is_small_enough = self._limit_bytes < body_limit_bytes(path, content_type)
        length = self.requestHeaders.getRawHeaders("content-length", ["0"])[0]
        if is_upload and is_small_enough and int(length) <= form_limit_bytes(path):
            return 401, "Unauthorized", "Sign in first."
        return 413, "Request Entity Too Large", "The request is too large."

    def _error(self, status: int, reason: str, sentence: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
        request_id = new_id().hex
        headers = [(b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff")]
        if not self.path.startswith(b"/api/"):
            page = _PAGE.format(reason=f"{status} {reason}", sentence=sentence)
            return [*headers, (b"content-type", b"text/html; charset=utf-8")], page.encode()
        body = {
            "error": _CODES.get(status, "E_VALIDATION"),
            "message": sentence,
            "details": {},
            "request_id": request_id,
        }
        return [*headers, (b"content-type", b"application/json")], json.dumps(body).encode()

    def _let_go(self) -> None:
        if self.producer is self.drain:
            self.unregisterProducer()
            self.producer = None
        self.drain.stopProducing()

    def _abort(self) -> None:
        if self.channel is not None and self.channel.transport is not None:
            self.channel.transport.abortConnection()


class LimitedHTTPFactory(HTTPFactory):
    """Makes `LimitedRequest`s."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802  Twisted's name
        """Return the protocol of a new connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol
