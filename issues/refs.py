"""How an issue is named: by id, by key, or by a key that it had before it was moved."""

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

from django.db.models import Q

from issues.catalog import catalog
from issues.models import Issue, IssueAlias
from issues.querysets import IssueQuerySet
from tracker.errors import NotFound
from tracker.versions import versions_of

IssueRef = uuid.UUID | str

_KEY: Final = re.compile(r"([A-Za-z][A-Za-z0-9]{1,19})-([1-9][0-9]{0,8})", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII)


def parse_uuid(text: object) -> uuid.UUID | None:
    """Return the id that a text spells, or None. Other spellings of UUIDs (braces, urn:) are not ids here."""
    if isinstance(text, uuid.UUID):
        return text
    if isinstance(text, str) and _UUID.fullmatch(text):
        return uuid.UUID(text)
    return None


def is_key(text: str) -> bool:
    """Whether a text has the form of an issue's key."""
    return _KEY.fullmatch(text) is not None


def find_issue(ref: IssueRef, *, user: Any, among: IssueQuerySet) -> Issue:
    """Return the issue that `ref` names in a queryset that is already scoped to `user`.

    One query; a second one where a key names nothing and may be an old one. Raises `NotFound`.
    """
    condition = _condition(ref, user=user)
    found = among.filter(condition)[:1] if condition is not None else ()  # one at most, so in no order
    issue: Issue | None = next(iter(found), None)
    if issue is None and isinstance(ref, str) and is_key(ref):
        alias = IssueAlias.objects.filter(key=ref.upper()).values("issue_id")
        issue = among.filter(pk__in=alias).first()
    if issue is None:
        raise NotFound
    return issue


def find_issues(
    refs: Iterable[IssueRef], *, user: Any, among: IssueQuerySet
) -> dict[IssueRef, uuid.UUID | None]:
    """Return the issue of each reference in a queryset that is already scoped to `user`; None: there is none.

    Each id, and each key in any case, stands once. One query, a second one for old keys.
    """
    wanted = list(dict.fromkeys(parse_uuid(ref) or str(ref).upper() for ref in refs))
    keys = [ref for ref in wanted if isinstance(ref, str)]
    condition = Q(pk__in=[ref for ref in wanted if isinstance(ref, uuid.UUID)]) | _places(keys, user=user)
    projects = catalog(versions_of(user)).projects
    rows = list(among.filter(condition).values_list("pk", "project_id", "number"))
    held = {pk for pk, _, _ in rows}
    by_key = {f"{projects[project_id].key}-{number}": pk for pk, project_id, number in rows}
    by_key = _aliases([key for key in keys if key not in by_key], among) | by_key
    return {
        ref: by_key.get(ref) if isinstance(ref, str) else (ref if ref in held else None) for ref in wanted
    }


def _places(keys: Iterable[str], *, user: Any) -> Q:
    """Return the condition for the issues that have these keys now."""
    numbers: dict[uuid.UUID, list[int]] = defaultdict(list)
    for place in (_place_of_key(key, user=user) for key in keys):
        if place is not None:
            numbers[place[0]].append(place[1])
    terms = (Q(project_id=project_id, number__in=found) for project_id, found in numbers.items())
    return reduce(or_, terms, Q(pk__in=[]))


def _aliases(keys: Sequence[str], among: IssueQuerySet) -> dict[str, uuid.UUID]:
    if not keys:
        return {}
    return dict(IssueAlias.objects.filter(key__in=keys, issue__in=among).values_list("key", "issue_id"))


def _condition(ref: IssueRef, *, user: Any) -> Q | None:
    if (issue_id := parse_uuid(ref)) is not None:
        return Q(pk=issue_id)
    place = _place_of_key(str(ref), user=user)
    return Q(project_id=place[0], number=place[1]) if place else None


def _place_of_key(key: str, *, user: Any) -> tuple[uuid.UUID, int] | None:
    """Return project and number of a key as it is now; None for what is no key of a project."""
    match = _KEY.fullmatch(key)
    project = catalog(versions_of(user)).project_by_key(match[1]) if match else None
    return (project.id, int(match[2])) if match and project else None
