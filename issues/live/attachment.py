"""Lets receivers into the live stream without a gap: what they lack is read for all of them together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from issues.events.frames import Batch
from issues.events.log import frames_of
from issues.live.audience import Listeners, Member, sees_other_things
from issues.live.outbox import Behind, Item, Over, Ready, Resync
from issues.live.subscription import Delivery, Subscription
from tracker.models import Event
from tracker.versions import Versions

NEAR: Final = 500
NEAR_BYTES: Final = 1024 * 1024


@dataclass(slots=True)
class Attachments:
    """Those who wait to be let in. Used in the reader's thread alone."""

    listeners: Listeners
    _waiting: dict[Subscription, Subscription | None] = field(default_factory=dict)

    @property
    def are_waiting(self) -> bool:
        """Whether there is anybody."""
        return bool(self._waiting)

    def add(self, subscription: Subscription, replacing: Subscription | None) -> None:
        """Let `subscription` wait; `replacing` goes on until it is let in."""
        if replacing in self._waiting:
            replacing = self._waiting.pop(replacing)
        self._waiting[subscription] = replacing

    def drop(self, subscription: Subscription) -> None:
        """Wait no longer; nor does what it was to replace go on."""
        replaced = self._waiting.pop(subscription, None)
        if replaced is not None:
            self.listeners.remove(replaced)

    def admit(self, *, cursor: int, log_id: str, versions: Versions) -> list[Delivery]:
        """Let everybody in who lacks at most `NEAR` events up to `cursor`; the others get `Behind`.

        Everything that may fail comes first: then all go on waiting.
        """
        members = {item: self.listeners.look_up(item, versions) for item in self._waiting}
        gap = self._read_gap(members, cursor, versions)
        lacking = {item: self._lacking(item, member, gap, cursor) for item, member in members.items()}
        waiting, self._waiting = self._waiting, {}
        return [
            (
                item,
                self._let_in(item, waiting[item], members[item], lacking[item], cursor=cursor, log_id=log_id),
            )
            for item in waiting
        ]

    def _let_in(
        self,
        subscription: Subscription,
        replaced: Subscription | None,
        member: Member | Over,
        lacking: list[Item] | None,
        *,
        cursor: int,
        log_id: str,
    ) -> list[Item]:
        if replaced is not None:
            self.listeners.remove(replaced)
        if isinstance(member, Over):
            return [member]
        if lacking is None:
            return [Behind(subscription)]
        self.listeners.add(subscription, member)
        if subscription.is_idle:
            return []
        subscription.position = max(subscription.position or 0, cursor)
        ready = Ready(subscription.position, log_id)
        if subscription.scope is not None and sees_other_things(subscription.scope, member.scope):
            return [Resync(), *lacking, ready]
        return [*lacking, ready]

    def _lacking(
        self, subscription: Subscription, member: Member | Over, gap: Batch | None, cursor: int
    ) -> list[Item] | None:
        """Return what the receiver lacks, None where that is too much to be sent from here."""
        if subscription.position is None or subscription.position >= cursor or isinstance(member, Over):
            return []
        if not _is_near(subscription, cursor):
            return None
        if gap is None:
            return []
        frames = [
            frame
            for frame in frames_of(gap, member.scope, subscription.wanted)
            if subscription.is_after(frame.seq)
        ]
        return None if sum(len(frame.json) for frame in frames) > NEAR_BYTES else [*frames]

    @staticmethod
    def _read_gap(waiting: Iterable[Subscription], cursor: int, versions: Versions) -> Batch | None:
        positions = [
            item.position for item in waiting if item.position is not None and _is_near(item, cursor)
        ]
        lowest = min(positions, default=cursor)
        if lowest >= cursor:
            return None
        events = Event.objects.filter(seq__gt=lowest, seq__lte=cursor).order_by("seq")
        return Batch.load(list(events), versions=versions)


def _is_near(subscription: Subscription, cursor: int) -> bool:
    return subscription.position is None or subscription.position >= cursor - NEAR
