"""How an issue is named: by id, by key, or by a key that it had before it was moved."""

import re
import uuid
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
    issue: Issue | None = among.filter(condition).first() if condition is not None else None
    if issue is None and isinstance(ref, str) and is_key(ref):
        alias = IssueAlias.objects.filter(key=ref.upper()).values("issue_id")
        issue = among.filter(pk__in=alias).first()
    if issue is None:
        raise NotFound
    return issue


def _condition(ref: IssueRef, *, user: Any) -> Q | None:
    if (issue_id := parse_uuid(ref)) is not None:
        return Q(pk=issue_id)
    place = place_of_key(str(ref), user=user)
    return Q(project_id=place[0], number=place[1]) if place else None


def place_of_key(key: str, *, user: Any) -> tuple[uuid.UUID, int] | None:
    """Return project and number of a key as it is now; None for what is no key of a project."""
    match = _KEY.fullmatch(key)
    project = catalog(versions_of(user)).project_by_key(match[1]) if match else None
    return (project.id, int(match[2])) if match and project else None
