"""Names and pictures of people as every other thing shows them, kept in memory by version."""

import uuid
from collections.abc import Iterable
from typing import TypedDict

from accounts.models import User
from tracker.versions import Versions


class PersonRow(TypedDict):
    """A person inside another thing."""

    id: str
    name: str
    avatar_url: str | None


_rows: dict[uuid.UUID, PersonRow] = {}
_version: int | None = None


def people(ids: Iterable[uuid.UUID | None], *, versions: Versions) -> dict[uuid.UUID, PersonRow]:
    """Return the rows of these accounts; at most one query, none where all are known."""
    global _rows, _version
    if _version != versions.people or len(_rows) > 50_000:
        _rows, _version = {}, versions.people
    rows = _rows
    wanted = {key for key in ids if key is not None}
    missing = wanted - rows.keys()
    if missing:
        for user in User.objects.filter(pk__in=missing):
            rows[user.pk] = person_row(user)
    return {key: rows[key] for key in wanted if key in rows}


def person_row(user: User) -> PersonRow:
    """Return one account as other things show it."""
    return {"id": str(user.pk), "name": user.name, "avatar_url": user.avatar_url}
