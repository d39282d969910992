"""What a client asks for, read and checked against what it may see."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from accounts.identity import Identity, still_valid
from accounts.models import User
from issues.catalog import catalog
from issues.events.log import Page, read_page, sight_may_differ
from issues.events.wanted import Wanted
from issues.live.querying import compile_text
from issues.live.subscription import Path
from issues.refs import parse_uuid
from issues.scope import Scope, scope_of
from tracker.errors import Invalid, NotAllowed, NotFound, Unauthenticated
from tracker.events.numbering import head
from tracker.versions import versions_of

MAX_SEQ: Final = 2**63 - 1
MAX_PROJECTS: Final = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """A subscription as it was sent: from where, and which part of the stream."""

    since: int | None = None
    log: str | None = None
    projects: tuple[str, ...] | None = None
    query: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """What becomes of it. `position` None: from now on. `must_resync`: its number is none of ours, or the
    person may see other issues than at that number; then what was missed is sent all the same."""

    identity: Identity
    scope: Scope
    wanted: Wanted
    position: int | None
    must_resync: bool


def read_subscribe(frame: Mapping[str, Any]) -> Asked:
    """Read a `subscribe` frame. Raises `Invalid` naming what is wrong; unknown parts are let be."""
    since, log, projects, query = (frame.get(name) for name in ("since", "log", "projects", "q"))
    if since is not None and (
        isinstance(since, bool) or not isinstance(since, int) or not 0 <= since <= MAX_SEQ
    ):
        raise Invalid(fields={"since": ["Must be a whole number from 0."]})
    if log is not None and parse_uuid(log) is None:
        raise Invalid(fields={"log": ["Must be the id of a log."]})
    if query is not None and not isinstance(query, str):
        raise Invalid(fields={"q": ["Must be a text."]})
    return Asked(since, log, _project_keys(projects), query or "")


def _project_keys(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise Invalid(fields={"projects": ["Must be a list of project keys."]})
    if len(value) > MAX_PROJECTS:
        raise Invalid(fields={"projects": [f"At most {MAX_PROJECTS} projects."]})
    return tuple(value)


def grant(identity: Identity, path: Path, asked: Asked, *, parameter: str = "projects") -> Granted:
    """Check a subscription against what the person sees now.

    Raises `Unauthenticated` when the sign-in is over, `NotAllowed` when the path's project or team is lost,
    `Invalid` for projects and queries that name nothing visible.
    """
    identity = refreshed(identity)
    require_path(identity.user, path)
    wanted = wanted_of(identity.user, path, projects=asked.projects, query=asked.query, parameter=parameter)
    log = head()
    is_other_log = asked.log is not None and parse_uuid(asked.log) != log.log_id
    scope = scope_of(identity.user)
    if is_other_log or (asked.since is not None and asked.since > log.last_seq):
        return Granted(identity, scope, wanted, None, must_resync=True)
    differs = asked.since is not None and sight_may_differ(
        scope=scope, since=asked.since, last_seq=log.last_seq
    )
    return Granted(identity, scope, wanted, asked.since, must_resync=differs)


def refreshed(identity: Identity) -> Identity:
    """Return the identity with the account as it is now. Raises `Unauthenticated` when it is over."""
    user = still_valid(identity)
    if user is None:
        raise Unauthenticated("This sign-in is over.")
    return replace(identity, user=user)


def require_path(user: User, path: Path) -> None:
    """Raise `NotAllowed` unless the path's project or team exists for this person."""
    if not path.is_seen(scope_of(user), catalog(versions_of(user))):
        raise NotAllowed


def find_path(user: User, *, project_key: str | None = None, team_id: str | None = None) -> Path:
    """Return what an address names. Raises `NotFound` for what is hidden or absent."""
    path = Path()
    if project_key is not None:
        project = catalog(versions_of(user)).project_by_key(project_key)
        if project is None:
            raise NotFound
        path = Path(project_id=project.id)
    elif team_id is not None:
        path = Path(team_id=parse_uuid(team_id) or uuid.UUID(int=0))
    if not path.is_seen(scope_of(user), catalog(versions_of(user))):
        raise NotFound
    return path


def wanted_of(
    user: User, path: Path, *, projects: Sequence[str] | None, query: str = "", parameter: str = "projects"
) -> Wanted:
    """Return the filter of the stream. Raises `Invalid` for what names nothing that this person sees."""
    project_ids = None if projects is None else _find_projects(user, projects, parameter)
    if path.project_id is not None:
        project_ids = (project_ids if project_ids is not None else {path.project_id}) & {path.project_id}
    text = query.strip()
    return Wanted(
        project_ids=None if project_ids is None else frozenset(project_ids),
        team_id=path.team_id,
        query=compile_text(user, text) if text else None,
        query_key=(text, user.pk) if text else ("", None),
    )


def _find_projects(user: User, keys: Sequence[str], parameter: str) -> set[uuid.UUID]:
    scope, known = scope_of(user), catalog(versions_of(user))
    found, unknown = set(), []
    for key in keys:
        project = known.project_by_key(key)
        if project is None or not scope.sees_project(project.id):
            unknown.append(key[:40])
        else:
            found.add(project.id)
    if unknown:
        raise Invalid(fields={parameter: [f"There is no project {', '.join(unknown[:10])}."]})
    return found


def read_missed(
    identity: Identity, path: Path, wanted: Wanted, *, after: int, limit: int
) -> tuple[Page, Scope]:
    """Return the next page of what a receiver lacks, and what they see at this moment.

    Raises `Unauthenticated`, `NotAllowed` as `grant` does.
    """
    user = refreshed(identity).user
    require_path(user, path)
    scope = scope_of(user)
    page = read_page(scope=scope, wanted=wanted, after=after, limit=limit, versions=versions_of(user))
    return page, scope
