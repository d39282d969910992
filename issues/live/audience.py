"""Those who listen, in groups of equal rights, and what an event means for each group."""

import contextlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from accounts.identity import valid_users
from accounts.models import User
from accounts.rights import load_rights
from issues.catalog import catalog
from issues.events.frames import Batch, Frame
from issues.events.log import frames_of
from issues.live.outbox import Item, Over, Resync
from issues.live.querying import compile_text
from issues.live.subscription import Delivery, Subscription
from issues.scope import Scope, scope_of
from tracker.errors import Invalid
from tracker.models import Event
from tracker.versions import Versions, remember, versions_of

UNAUTHENTICATED: Final = 4401
FORBIDDEN: Final = 4403
Key = tuple[object, ...]


@dataclass(slots=True)
class Member:
    """A receiver with the account behind it and what that sees."""

    user: User
    scope: Scope
    key: Key


@dataclass(slots=True)
class Listeners:
    """Everybody who is let in. Used in the reader's thread alone."""

    _members: dict[Subscription, Member] = field(default_factory=dict)
    _versions: Versions | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nobody listens."""
        return not self._members

    def look_up(self, subscription: Subscription, versions: Versions) -> Member | Over:
        """Return what somebody who wants to listen sees now, or why they may not."""
        user: User | None = subscription.identity.user
        if versions_of(user).rights != versions.rights:  # changed since the account was read
            user = valid_users({subscription.identity}).get(subscription.identity)
        if user is None:
            return Over(UNAUTHENTICATED)
        remember(user, versions)
        scope = scope_of(user)
        if not subscription.path.is_seen(scope, catalog(versions)):
            return Over(FORBIDDEN)
        return Member(user, scope, _key(scope))

    def add(self, subscription: Subscription, member: Member) -> None:
        """Let somebody in."""
        self._members[subscription] = member

    def remove(self, subscription: Subscription) -> None:
        """Let somebody go; nothing where they have gone."""
        self._members.pop(subscription, None)

    def start_over(self, cursor: int) -> list[Delivery]:
        """Go on from `cursor`, and let everybody fetch anew."""
        following = [subscription for subscription in self._members if not subscription.is_idle]
        for subscription in following:
            subscription.position = cursor
        return [(subscription, [Resync()]) for subscription in following]

    # --- rights --------------------------------------------------------------------------------------
    def look_again(self, versions: Versions, *, everybody: bool) -> list[Delivery]:
        """Read rights anew where they changed, and with `everybody` whether each sign-in still holds.

        At most five queries however many listen. Returns the ends of those who lost their sign-in or
        their project, and `Resync` for those who now see something else.
        """
        held, self._versions = self._versions, versions
        rights_changed = held is None or held.rights != versions.rights
        if everybody or rights_changed:
            return self._read_accounts(versions)
        if held is None or held.catalog != versions.catalog:
            return [item for sub in list(self._members) for item in self._refresh(sub, versions)]
        return []

    def _read_accounts(self, versions: Versions) -> list[Delivery]:
        if not self._members:
            return []
        valid = valid_users({subscription.identity for subscription in self._members})
        for user in set(valid.values()):
            remember(user, versions)
        load_rights(set(valid.values()), versions=versions)
        deliveries: list[Delivery] = []
        for subscription, member in list(self._members.items()):
            found = valid.get(subscription.identity)
            if found is None:
                self.remove(subscription)
                deliveries.append((subscription, [Over(UNAUTHENTICATED)]))
                continue
            member.user = found
            deliveries += self._refresh(subscription, versions)
        return deliveries

    def _refresh(self, subscription: Subscription, versions: Versions) -> list[Delivery]:
        member = self._members[subscription]
        remember(member.user, versions)
        scope = scope_of(member.user)
        if not subscription.path.is_seen(scope, catalog(versions)):
            self.remove(subscription)
            return [(subscription, [Over(FORBIDDEN)])]
        before, member.scope, member.key = member.scope, scope, _key(scope)
        _read_query_again(subscription, member.user)
        return (
            [(subscription, [Resync()])]
            if sees_other_things(before, scope) and not subscription.is_idle
            else []
        )

    # --- events --------------------------------------------------------------------------------------
    def send(self, batch: Batch) -> list[Delivery]:
        """Return what each receiver is sent of a batch. Reads first: a failure changes nothing."""
        groups: dict[Key, list[Frame]] = {}
        following = [(item, member) for item, member in self._members.items() if not item.is_idle]
        for subscription, member in following:
            key = self._group(subscription, member)
            if key not in groups:
                groups[key] = frames_of(batch, member.scope, subscription.wanted)
                for frame in groups[key]:
                    frame.write()
        last_seq, shared = batch.events[-1].seq or 0, _shares_won_or_lost(batch.events)
        deliveries: list[Delivery] = []
        for subscription, member in following:
            frames = groups[self._group(subscription, member)]
            items: list[Item] = [frame for frame in frames if subscription.is_after(frame.seq)]
            if member.user.pk in shared and not member.scope.may("see_all_issues"):
                items.append(Resync())
            subscription.position = max(subscription.position or 0, last_seq)
            if items:
                deliveries.append((subscription, items))
        return deliveries

    @staticmethod
    def _group(subscription: Subscription, member: Member) -> Key:
        wanted = subscription.wanted
        return (member.key, wanted.project_ids, wanted.team_id, wanted.query_key)


def _key(scope: Scope) -> Key:
    """Return what makes the frames of one person equal to those of another."""
    if scope.may("see_all_issues"):
        return (scope.project_ids, scope.reads_internal, scope.may("trash_issue"))
    return (scope.user_id,)


def _read_query_again(subscription: Subscription, user: User) -> None:
    """Let a query know of what came after it: statuses, labels. What it names may be gone by now."""
    wanted = subscription.wanted
    text = wanted.query_key[0]
    if text:
        with contextlib.suppress(Invalid):
            subscription.wanted = replace(wanted, query=compile_text(user, text))


def sees_other_things(before: Scope, after: Scope) -> bool:
    """Whether a change of rights changes what somebody is shown."""
    return (
        before.project_ids != after.project_ids
        or before.whole_project_ids != after.whole_project_ids
        or before.may("see_all_issues") != after.may("see_all_issues")
        or before.reads_internal != after.reads_internal
        or before.may("trash_issue") != after.may("trash_issue")
    )


def _shares_won_or_lost(events: Iterable[Event]) -> set[uuid.UUID]:
    """Return who was made a watcher or taken off, which for a reporter shows or hides an issue."""
    return {event.subject_id for event in events if event.verb.startswith("watcher.") and event.subject_id}
