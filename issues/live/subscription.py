"""One receiver of the stream: who it is, what it asked for, and how far it has got."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.identity import Identity
from accounts.rights import Rights
from issues.catalog import Catalog
from issues.events.wanted import EVERYTHING, Wanted
from issues.live.outbox import Item, Outbox
from issues.scope import Scope


@dataclass(frozen=True, slots=True)
class Path:
    """What the address of a socket confines it to: one project, one team, or nothing."""

    project_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None

    def is_seen(self, scope: Scope, known: Catalog) -> bool:
        """Whether the project or team exists for this person."""
        if self.project_id is not None:
            return scope.sees_project(self.project_id)
        return self.team_id is None or sees_team(scope.rights, self.team_id, known)


def sees_team(rights: Rights, team_id: uuid.UUID, known: Catalog) -> bool:
    """One's own teams; all of them for who manages teams."""
    return team_id in known.teams and (rights.may("accounts.manage_teams") or team_id in rights.team_ids)


@dataclass(eq=False, slots=True)
class Subscription:
    """A receiver. `position`: the last number that it was sent, or that its client has; None is "from now".
    `scope`: what the receiver saw when it was last sent something before it was let in.
    An idle one is sent nothing but its end: a connection that has not asked for anything yet.

    Once it is attached, the reader's thread alone changes it; items go to the outbox through the loop.
    """

    identity: Identity
    outbox: Outbox
    loop: asyncio.AbstractEventLoop
    path: Path = field(default_factory=Path)
    wanted: Wanted = EVERYTHING
    position: int | None = None
    scope: Scope | None = None
    is_idle: bool = False

    def is_after(self, seq: int) -> bool:
        """Whether an event of this number is still to be sent."""
        return self.position is not None and seq > self.position


Delivery = tuple[Subscription, Sequence[Item]]


def deliver(deliveries: Sequence[Delivery]) -> None:
    """Hand items over to the loops of their receivers, one call for each loop."""
    loops: dict[Any, list[tuple[Outbox, Sequence[Item]]]] = {}
    for subscription, items in deliveries:
        loops.setdefault(subscription.loop, []).append((subscription.outbox, items))
    for loop, offers in loops.items():
        if not loop.is_closed():
            try:
                loop.call_soon_threadsafe(_offer, offers)
            except RuntimeError:  # closed in between: nobody is there any more
                continue


def _offer(offers: Sequence[tuple[Outbox, Sequence[Item]]]) -> None:
    for outbox, items in offers:
        outbox.offer(items)
