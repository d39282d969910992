"""Replies in pieces: each is made when it is asked for, under WSGI and ASGI alike."""

import threading
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.test import RequestFactory

from tracker.web.streaming import stream


def asgi_request() -> ASGIRequest:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    return ASGIRequest(scope, BytesIO())


def pieces(log: list[str], ended: threading.Event) -> Iterator[bytes]:
    try:
        for number in range(1000):
            log.append(threading.current_thread().name)
            yield b"%d," % number
    finally:
        ended.set()


def test_under_wsgi_the_pieces_are_given_as_they_are() -> None:
    made = pieces([], threading.Event())
    assert stream(RequestFactory().get("/"), made) is made


async def test_under_asgi_each_piece_is_made_when_it_is_asked_for_in_one_thread() -> None:
    log: list[str] = []
    ended = threading.Event()
    response = StreamingHttpResponse(stream(asgi_request(), pieces(log, ended)))
    assert response.is_async
    content: Any = aiter(response)
    assert [await anext(content) for _ in range(3)] == [b"0,", b"1,", b"2,"]
    assert len(log) == 3
    assert len(set(log)) == 1
    assert threading.current_thread().name not in log


async def test_who_goes_early_ends_the_pieces() -> None:
    ended = threading.Event()
    content = stream(asgi_request(), pieces([], ended))
    assert isinstance(content, AsyncIterator)
    assert await anext(content) == b"0,"
    await content.aclose()  # type: ignore[attr-defined]  # a generator
    assert ended.wait(5)


async def test_all_pieces_come_in_order_and_end() -> None:
    ended = threading.Event()
    content: Any = stream(asgi_request(), pieces([], ended))
    got = [piece async for piece in content]
    assert b"".join(got) == b"".join(b"%d," % number for number in range(1000))
    assert ended.wait(5)
