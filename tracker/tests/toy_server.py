"""The embedded server around a toy application: `python -m tracker.tests.toy_server PORT`."""

import asyncio
import socket
import sys
from typing import Any

import django

CHUNK = b"x" * 64 * 1024


async def toy(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Count bodies, flood downloads and sockets, echo frames."""
    if scope["type"] == "websocket":
        await _socket(scope["path"], receive, send)
    elif scope["path"] == "/flood":
        await _flood(send)
    elif scope["path"] == "/slow":
        await asyncio.sleep(1)
        await _answer(send, b"late")
    elif scope["path"] == "/crash":
        raise RuntimeError("token=canary-in-a-crash")
    else:
        size = 0
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        await _answer(send, str(size).encode())


async def _answer(send: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": body})


async def _flood(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(4000):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _socket(path: str, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    if path == "/ws/patient":
        for _ in range(4000):
            await send({"type": "websocket.send", "bytes": CHUNK})
    if path == "/ws/impatient":
        await asyncio.gather(*(send({"type": "websocket.send", "bytes": CHUNK}) for _ in range(4000)))
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


def main() -> None:
    """Serve on the port that is the only argument."""
    django.setup()
    from tracker.server.server import ProductServer

    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    listener.setblocking(False)
    ProductServer(toy, listener, ready=lambda: None).run()


if __name__ == "__main__":
    main()
