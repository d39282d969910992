"""Many sockets, and how long after the answer to a write the last of them has its event.

A client of few words, so that a thousand of them take little of the processors that are measured.
"""

import asyncio
import base64
import json
import os
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

OPEN_SECONDS: Final = 60
LAST_SECONDS: Final = 10
_AT_ONCE: Final = 50
_TEXT: Final = 0x81


@dataclass(slots=True)
class Arrivals:
    """When each client had the event of each issue."""

    times: dict[str, list[float]] = field(default_factory=dict)
    ready: int = 0
    ended: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds from the answer to the last client, and how many events never came."""

    p50: float
    p99: float
    lost: int
    sockets: int


class Client(asyncio.Protocol):
    """One socket: signs in, subscribes, notes arrivals, answers pings."""

    def __init__(self, token: str, arrivals: Arrivals) -> None:
        self._token, self._arrivals = token, arrivals
        self._buffer = b""
        self._is_open = False
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Ask for the upgrade."""
        self._transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws/ HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the end, which should not come before the measurement's."""
        self._arrivals.ended += 1

    def data_received(self, data: bytes) -> None:
        """Take what came apart."""
        now = time.perf_counter()
        self._buffer += data
        if not self._is_open:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                raise RuntimeError(head.decode(errors="replace"))
            self._is_open, self._buffer = True, rest
            self.say({"type": "auth", "token": self._token})
        while (frame := self._next()) is not None:
            self._take(frame, now)

    def say(self, message: dict[str, Any]) -> None:
        """Send a frame, masked with zeros: nobody is in between who could be fooled."""
        data = json.dumps(message).encode()
        length = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        self._transport.write(bytes([_TEXT]) + length + bytes(4) + data)

    def close(self) -> None:
        """Hang up."""
        self._transport.abort()

    def _next(self) -> bytes | None:
        data = self._buffer
        if len(data) < 2:
            return None
        length, start = data[1] & 0x7F, 2
        if length == 126:
            if len(data) < 4:
                return None
            length, start = struct.unpack(">H", data[2:4])[0], 4
        if len(data) < start + length:
            return None
        self._buffer = data[start + length :]
        return data[start : start + length]

    def _take(self, frame: bytes, now: float) -> None:
        if b'"type":"event"' in frame:
            key = frame.partition(b'"key":"')[2].partition(b'"')[0].decode()
            self._arrivals.times.setdefault(key, []).append(now)
        elif b'"authenticated"' in frame:
            self.say({"type": "subscribe"})
        elif b'"ready"' in frame:
            self._arrivals.ready += 1
        elif b'"ping"' in frame:
            self.say({"type": "pong"})


async def measure(
    *,
    url: str,
    socket_port: int,
    tokens: Sequence[str],
    sockets: int,
    writes: int,
    write: "Write",
    while_open: Callable[[], None] = lambda: None,
) -> Spread:
    """Open so many sockets, write one after the other, and wait for the last arrival of each."""
    loop = asyncio.get_running_loop()
    arrivals = Arrivals()
    clients: list[Client] = []
    for number in range(sockets):
        token = tokens[number % len(tokens)]
        _, client = await loop.create_connection(
            lambda token=token: Client(token, arrivals),  # type: ignore[misc]
            "127.0.0.1",
            socket_port,
        )
        clients.append(client)
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0.1)
    await _until(lambda: arrivals.ready >= sockets, OPEN_SECONDS)
    if arrivals.ready < sockets:
        raise RuntimeError(f"only {arrivals.ready} of {sockets} sockets are ready, {arrivals.ended} ended")
    latest = []
    lost = 0
    for number in range(writes + 2):
        key, answered = await write(url, number)
        await _until(lambda: len(arrivals.times.get(key, ())) >= sockets, LAST_SECONDS)  # noqa: B023
        times = arrivals.times.get(key, [])
        if number >= 2:  # the first ones fill caches
            lost += sockets - len(times)
            latest.append((max(times, default=answered) - answered) * 1000)
        await asyncio.sleep(0.05)
    while_open()
    for client in clients:
        client.close()
    latest.sort()
    return Spread(
        latest[len(latest) // 2], latest[min(len(latest) - 1, int(len(latest) * 0.99))], lost, sockets
    )


class Write:
    """Files an issue over one kept connection, and returns its key and when the answer was there."""

    def __init__(self, headers: dict[str, str], body: str) -> None:
        self._headers, self._body = headers, body
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __call__(self, url: str, number: int) -> tuple[str, float]:
        """Write once."""
        if self._streams is None:
            parts = urlsplit(url)
            self._streams = await asyncio.open_connection(parts.hostname, parts.port)
        reader, writer = self._streams
        body = self._body.encode()
        lines = [
            "POST /api/v1/issues HTTP/1.1",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        lines += [f"{name}: {text}" for name, text in self._headers.items()]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        )
        content = await reader.readexactly(length)
        answered = time.perf_counter()
        if " 201 " not in head.splitlines()[0]:
            raise RuntimeError(head + content.decode(errors="replace"))
        return str(json.loads(content)["key"]), answered


async def _until(is_so: Any, limit_seconds: float) -> None:
    deadline = time.monotonic() + limit_seconds
    while not is_so() and time.monotonic() < deadline:
        await asyncio.sleep(0.002)
