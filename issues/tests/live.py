"""Sockets for tests: the application in an event loop of its own, driven from the thread of the test."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import orjson
from channels.testing import WebsocketCommunicator

from accounts.models import User
from accounts.services.sessions import TokenPair, start_family
from issues.live.lifecycle import stop_live

T = TypeVar("T")
TIMEOUT_SECONDS = 10.0
Frame = dict[str, Any]


class LiveLoop:
    """An event loop in a thread, and the sockets that are open in it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._sockets: list[TestSocket] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop and return what it returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT_SECONDS + 5)

    def connect(self, path: str = "/ws/", **headers: str) -> "TestSocket":
        """Open a socket; headers by name, with `_` for `-`."""
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        found = TestSocket(self, path, pairs)
        self._sockets.append(found)
        return found

    def stop(self) -> None:
        """Close every socket, the readers and the loop."""
        for opened in self._sockets:
            opened.cut()
        stop_live()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class TestSocket:
    """One client."""

    __test__ = False

    def __init__(self, loop: LiveLoop, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        from tracker.asgi import application  # the settings of the test are ready only now

        self._loop = loop
        self._is_open = True
        self._wire = WebsocketCommunicator(application, path, headers=[(b"host", b"testserver"), *headers])
        is_accepted, _ = loop.run(self._connect())
        assert is_accepted

    async def _connect(self) -> Any:
        return await self._wire.connect(timeout=TIMEOUT_SECONDS)

    def send(self, frame: Any) -> None:
        """Send an object, or a text as it is."""
        text = frame if isinstance(frame, str) else orjson.dumps(frame).decode()
        self._loop.run(self._wire.send_to(text_data=text))

    def send_bytes(self, data: bytes) -> None:
        """Send a binary frame."""
        self._loop.run(self._wire.send_to(bytes_data=data))

    def message(self, timeout_seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
        """Return the next message of the server, a close included."""
        message: dict[str, Any] = self._loop.run(self._wire.receive_output(timeout_seconds))
        return message

    def receive(self, timeout_seconds: float = TIMEOUT_SECONDS) -> Frame:
        """Return the next frame."""
        message = self.message(timeout_seconds)
        assert message["type"] == "websocket.send", message
        frame: Frame = orjson.loads(message["text"])
        return frame

    def receive_until(self, kind: str) -> list[Frame]:
        """Return the frames up to the next one of a type, with it."""
        frames = [self.receive()]
        while frames[-1]["type"] != kind:
            frames.append(self.receive())
        return frames

    def closed_with(self, timeout_seconds: float = TIMEOUT_SECONDS) -> int:
        """Return the code with which the server closes, whatever it says before."""
        while (message := self.message(timeout_seconds))["type"] != "websocket.close":
            continue
        return int(message["code"])

    def is_silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for a while."""
        is_nothing: bool = self._loop.run(self._wire.receive_nothing(seconds))
        return is_nothing

    def subscribe(self, **parts: Any) -> list[Frame]:
        """Subscribe, and return everything up to `ready`."""
        self.send({"type": "subscribe", **parts})
        return self.receive_until("ready")

    def cut(self) -> None:
        """Let the connection break."""
        if self._is_open:
            self._is_open = False
            self._loop.run(self._wire.disconnect(timeout=TIMEOUT_SECONDS))


def tokens_of(user: User) -> TokenPair:
    """Sign a person in as an API client does."""
    return start_family(User.objects.get(pk=user.pk))
