"""What one open connection is sent: at most one subscription at a time, from the past into the present."""

import asyncio
import logging
from typing import Final

from django.db import DatabaseError, InterfaceError

from accounts.identity import Identity
from issues.live.asking import Granted, read_missed
from issues.live.audience import FORBIDDEN, UNAUTHENTICATED, sees_other_things
from issues.live.database import in_database
from issues.live.outbox import Behind, Item, Outbox, Resync
from issues.live.reader import reader
from issues.live.subscription import Path, Subscription
from tracker.errors import NotAllowed, Unauthenticated

PAGE: Final = 500
RETRY_SECONDS: Final = 1.0
FAILED: Final = 1011
_log = logging.getLogger(__name__)


class Feed:
    """The receiving end of the stream for one connection. Used in the event loop alone."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self._current: Subscription | None = None
        self._replay: asyncio.Task[None] | None = None

    def belong_to(self, identity: Identity, path: Path) -> None:
        """Let the connection end when this sign-in does. What the same person followed goes on."""
        held = self._current
        if held is not None and held.identity.user.pk == identity.user.pk:
            held.identity = identity
            return
        self.leave()
        self._current = Subscription(identity, self.outbox, asyncio.get_running_loop(), path, is_idle=True)
        reader().attach(self._current)

    def follow(self, granted: Granted, path: Path) -> None:
        """Begin a subscription; the one before goes on until this one has caught up with it."""
        self._stop_replay()
        if granted.must_resync:
            self.outbox.offer([Resync()])
        subscription = Subscription(
            identity=granted.identity,
            outbox=self.outbox,
            loop=asyncio.get_running_loop(),
            path=path,
            wanted=granted.wanted,
            position=granted.position,
            scope=granted.scope,
        )
        reader().attach(subscription, replacing=self._current)
        self._current = subscription

    def leave(self) -> None:
        """Follow nothing any more."""
        self._stop_replay()
        if self._current is not None:
            reader().detach(self._current)
            self._current = None

    async def next(self) -> Item:
        """Return what is to be sent next, waiting for it. `Over` is the end."""
        while True:
            item = await self.outbox.take()
            if not isinstance(item, Behind):
                return item
            if item.subscription is self._current:
                self._replay = asyncio.create_task(self._catch_up(item.subscription))

    def _stop_replay(self) -> None:
        if self._replay is not None:
            self._replay.cancel()
            self._replay = None

    async def _catch_up(self, subscription: Subscription) -> None:
        """Send what was missed, a page at a time, as fast as the client reads; then join the others."""
        while True:
            try:
                is_done = await self._send_page(subscription)
            except (Unauthenticated, NotAllowed) as refusal:
                self.outbox.end(UNAUTHENTICATED if isinstance(refusal, Unauthenticated) else FORBIDDEN)
                return
            except (
                DatabaseError,
                InterfaceError,
            ):  # the database is away for a while; the client has lost nothing
                _log.exception("a replay was interrupted; trying again")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            except Exception:  # noqa: BLE001  the task's end would leave the client waiting for ever
                _log.exception("a replay failed")
                self.outbox.end(FAILED)
                return
            if is_done:
                reader().attach(subscription)
                return

    async def _send_page(self, subscription: Subscription) -> bool:
        identity, path, wanted = subscription.identity, subscription.path, subscription.wanted
        after = subscription.position or 0
        page, scope = await in_database(lambda: read_missed(identity, path, wanted, after=after, limit=PAGE))
        if subscription.scope is not None and sees_other_things(subscription.scope, scope):
            self.outbox.offer([Resync()])
        subscription.scope = scope
        for frame in page.frames:
            await self.outbox.room()
            self.outbox.offer([frame])
        subscription.position = page.last_seq
        return not page.has_more
