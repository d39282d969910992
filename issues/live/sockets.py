"""The WebSocket: who is there, what they ask for, and the limits they keep to. The contract: docs/live.md.

A plain ASGI application. It accepts first and closes after, so that a client can read the code.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, NoReturn, TypeVar

from django.db import DatabaseError, InterfaceError

from accounts.identity import Identity, identity_from_access_token
from issues.live import messages, places
from issues.live.asking import Asked, find_path, grant, read_subscribe
from issues.live.audience import FORBIDDEN, UNAUTHENTICATED
from issues.live.database import in_database
from issues.live.feed import Feed
from issues.live.identity import has_credentials, has_token_in_query, identity_of_request
from issues.live.outbox import TOO_SLOW, Over
from issues.live.subscription import Path
from tracker.errors import DomainError, Invalid, NotAllowed, NotFound, Unauthenticated
from tracker.events.numbering import head

Message = dict[str, Any]
T = TypeVar("T")

NOT_JSON: Final = 4400
NOT_FOUND: Final = 4404
TOO_MANY: Final = 4429
TOO_LARGE: Final = 1009
TRY_AGAIN: Final = 1013
IDENTITY_SECONDS: Final = 5.0
SILENCE_SECONDS: Final = 60.0
PING_SECONDS: Final = 25.0
IMPLICIT_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 2.0
FRAMES_A_SECOND: Final = 20
_log = logging.getLogger(__name__)


class Closing(Exception):
    """The socket ends with this code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(code)


class Gone(Exception):
    """The client has gone."""


async def live_socket(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Serve one socket until it ends."""
    await Socket(scope, receive, send).run()


class Socket:
    """One client."""

    def __init__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self._feed = Feed()
        self._identity: Identity | None = None
        self._path = Path()
        self._place: places.Place | None = None
        self._recent: deque[float] = deque(maxlen=FRAMES_A_SECOND)
        self._has_asked = False
        self._opened_at: int | None = None

    async def run(self) -> None:
        """Accept, serve, close."""
        if (await self._receive())["type"] != "websocket.connect":
            return
        try:
            await self._accept()
            await self._serve()
        except Closing as closing:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._send({"type": "websocket.close", "code": closing.code})
        except Gone:
            pass
        finally:
            self._feed.leave()
            self._let_go()

    async def _accept(self) -> None:
        try:
            if has_token_in_query(
                self._scope
            ):  # it may not know `subscribe`, and misses nothing from here on
                self._opened_at = await self._ask(lambda: head().last_seq)
        finally:
            await self._send({"type": "websocket.accept"})

    async def _serve(self) -> None:
        """Listen and speak at the same time; whichever ends first ends the other."""
        tasks = [asyncio.create_task(work()) for work in (self._listen, self._speak, self._ping)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    # --- out -----------------------------------------------------------------------------------------
    async def _speak(self) -> NoReturn:
        while True:
            item = await self._feed.next()
            if isinstance(item, Over):
                raise Closing(item.code)
            await self._send({"type": "websocket.send", "text": messages.text_of(item).decode()})

    async def _ping(self) -> NoReturn:
        while True:
            await asyncio.sleep(PING_SECONDS)
            self._feed.outbox.offer([messages.PING])

    # --- in ------------------------------------------------------------------------------------------
    async def _listen(self) -> NoReturn:
        await self._enter_first()
        if has_token_in_query(self._scope):
            await self._follow_unless_asked()
        while True:
            await self._obey(await self._next_frame())

    async def _enter_first(self) -> None:
        """Find out who this is, from the request or from the first frame, for which there are 5 s."""
        if has_credentials(self._scope):
            identity = await self._ask(lambda: identity_of_request(self._scope))
            if identity is not None:
                await self._enter(identity)
                return
        try:
            async with asyncio.timeout(IDENTITY_SECONDS):
                frame = await self._next_frame()
        except TimeoutError:
            raise Closing(UNAUTHENTICATED) from None
        if frame.get("type") != "auth":
            raise Closing(UNAUTHENTICATED)
        await self._authenticate(frame)

    async def _authenticate(self, frame: Message) -> None:
        """Enter by a sign-in: the same person keeps their subscription, another one begins anew.

        It is confirmed last, so that nothing of somebody else comes behind the confirmation.
        """
        token = frame.get("token")
        if not isinstance(token, str):
            raise Closing(UNAUTHENTICATED)
        identity = await self._ask(lambda: identity_from_access_token(token))
        await self._enter(identity)
        self._feed.outbox.offer([messages.authenticated(identity.user)])

    async def _enter(self, identity: Identity) -> None:
        """Hold one of the user's places, and find what the address names for them."""
        self._let_go()
        self._place, self._identity = places.take(identity.user.pk), identity
        if self._place is None:
            raise Closing(TOO_MANY)
        names = self._scope.get("url_route", {}).get("kwargs", {})
        self._path = await self._ask(lambda: find_path(identity.user, **names))
        self._feed.belong_to(identity, self._path)

    async def _follow_unless_asked(self) -> None:
        """Follow everything from the connection on for a client that may not know `subscribe`."""
        deadline = asyncio.get_running_loop().time() + IMPLICIT_SECONDS
        while not self._has_asked:
            try:
                async with asyncio.timeout_at(deadline):
                    frame = await self._next_frame()
            except TimeoutError:
                await self._subscribe(Asked(since=self._opened_at))
                return
            await self._obey(frame)

    async def _next_frame(self) -> Message:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                message = await self._receive()
        except TimeoutError:
            raise Closing(TOO_SLOW) from None
        if message["type"] != "websocket.receive":
            raise Gone
        self._count_frame()
        text = message.get("text")
        data = text.encode() if text is not None else message.get("bytes") or b""
        if len(data) > messages.MAX_FRAME_BYTES:
            raise Closing(TOO_LARGE)
        frame = messages.read_frame(text) if text is not None else None
        if frame is None:
            raise Closing(NOT_JSON)
        return frame

    def _count_frame(self) -> None:
        now = time.monotonic()
        if len(self._recent) == FRAMES_A_SECOND and now - self._recent[0] < 1:
            raise Closing(TOO_MANY)
        self._recent.append(now)

    async def _obey(self, frame: Message) -> None:
        kind = frame.get("type")
        try:
            if kind == "subscribe":
                self._has_asked = True
                await self._subscribe(read_subscribe(frame))
            elif kind == "auth":
                await self._authenticate(frame)
            elif not isinstance(kind, str) or kind not in {"pong", "ping"}:
                raise Invalid("There is no such type of frame.")
        except DomainError as error:
            self._feed.outbox.offer([messages.refused(error)])

    async def _subscribe(self, asked: Asked) -> None:
        identity, path = self._identity, self._path
        if identity is None:
            raise Closing(UNAUTHENTICATED)
        granted = await self._ask(lambda: grant(identity, path, asked))
        self._identity = replace(identity, user=granted.identity.user)
        self._feed.follow(granted, path)

    async def _ask(self, question: Callable[[], T]) -> T:
        """Ask the database; a refusal that ends the socket becomes its code."""
        try:
            return await in_database(question)
        except Unauthenticated:
            raise Closing(UNAUTHENTICATED) from None
        except NotAllowed:
            raise Closing(FORBIDDEN) from None
        except NotFound:
            raise Closing(NOT_FOUND) from None
        except (DatabaseError, InterfaceError):
            _log.warning("a socket is told to come back: the database does not answer", exc_info=True)
            raise Closing(TRY_AGAIN) from None

    def _let_go(self) -> None:
        held, self._place = self._place, None
        if held is not None:
            held.release()
