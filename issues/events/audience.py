"""Who sees an event of the stream, and how much of it.

What counts is who may see the issue *now*. An event that took the issue out of somebody's sight keeps the
facts before and after (`data.sight`), so that those who lost it are told that it is gone, and nothing else.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from issues.events.verbs import STREAM_VERBS, TRASHED
from issues.refs import parse_uuid
from issues.scope import IssueFacts, Scope
from tracker.models import Event


class View(Enum):
    """How much of an event somebody is shown."""

    NOTHING = "nothing"
    GONE = "gone"  # only that the issue is out of sight
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an issue is, for those who follow one project or one team."""

    project_id: uuid.UUID
    team_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Sight:
    """The facts that an event stored about who could see its issue; `after` is None when it was purged."""

    before: IssueFacts
    after: IssueFacts | None
    key: str
    team_id: uuid.UUID | None


def view_of(event: Event, *, scope: Scope, now: IssueFacts | None, sight: Sight | None) -> View:
    """Return how much of the event this scope is shown. `now`: the facts of the issue, None once purged.

    Of an issue that is in the trash, who may not see the trash is told only that it went there.
    """
    if event.verb not in STREAM_VERBS or (event.internal and not scope.reads_internal):
        return View.NOTHING
    if now is not None and scope.covers(now):
        if not now.is_trashed or scope.may("trash_issue"):
            return View.WHOLE
        return View.GONE if event.verb == TRASHED else View.NOTHING
    if sight is None or not scope.covers(sight.before):
        return View.NOTHING
    if sight.after is not None and scope.covers(sight.after):
        return View.NOTHING  # a later event took it away, and will say so
    return View.GONE


def sight_of(event: Event, *, watcher_ids: frozenset[uuid.UUID] = frozenset()) -> Sight | None:
    """Read what the event stored: `data.sight = {"before": {…}, "after": {…}}`, ids as strings, each with
    `project`, `reporter`, `assignee` and, where they differ from today's, `watchers`, `team` and `key`."""
    stored = event.data.get("sight")
    if not isinstance(stored, dict) or not isinstance(stored.get("before"), dict):
        return None
    before = _facts(stored["before"], watcher_ids)
    if before is None:
        return None
    after = stored.get("after")
    return Sight(
        before=before,
        after=_facts(after, watcher_ids) if isinstance(after, dict) else None,
        key=_key_before(event, stored["before"]),
        team_id=parse_uuid(stored["before"].get("team")),
    )


def _facts(stored: Mapping[str, Any], watcher_ids: frozenset[uuid.UUID]) -> IssueFacts | None:
    project_id, reporter_id = parse_uuid(stored.get("project")), parse_uuid(stored.get("reporter"))
    if project_id is None or reporter_id is None:
        return None
    if isinstance(stored.get("watchers"), list):
        watcher_ids = frozenset(_ids(stored["watchers"]))
    return IssueFacts(project_id, reporter_id, parse_uuid(stored.get("assignee")), watcher_ids)


def _ids(texts: Iterable[object]) -> Iterable[uuid.UUID]:
    return (found for text in texts if (found := parse_uuid(text)) is not None)


def _key_before(event: Event, before: Mapping[str, Any]) -> str:
    """Return the key under which it was seen: a moved issue's new key names a project that may be hidden."""
    moved = event.changes.get("key")
    if isinstance(before.get("key"), str):
        return str(before["key"])
    return str(moved[0]) if moved and moved[0] else event.issue_key
