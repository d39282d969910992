"""Replies in pieces with flat memory, under WSGI and ASGI alike."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest


def stream(request: HttpRequest, chunks: Iterator[bytes]) -> Iterator[bytes] | AsyncIterator[bytes]:
    """Return the pieces in the form that the server of this request sends one by one.

    Under ASGI Django would collect a plain iterator first. There the pieces are made in one thread of their
    own, which may hold a database connection; it is closed with them, also when the client goes.
    """
    if isinstance(request, ASGIRequest):
        return _from_a_thread(chunks)
    return chunks


async def _from_a_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stream")
    try:
        while (piece := await loop.run_in_executor(thread, next, chunks, None)) is not None:
            yield piece
    finally:
        thread.submit(_end, chunks)
        thread.shutdown(wait=False)


def _end(chunks: Any) -> None:
    try:
        if hasattr(chunks, "close"):
            with closing(chunks):
                pass
    finally:
        connections.close_all()
