"""Versions of what a process may keep in memory.

A service that changes such a thing calls `bump` in the same transaction; a reader compares the version
that came with the identity of the request (one query reads both) with the one of its cache.
A version is a random number, not a counter: one that was rolled back never comes again.
"""

import secrets
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL

from tracker.caller import Caller
from tracker.models import CacheVersion

RIGHTS: Final = "rights"
CATALOG: Final = "catalog"
PEOPLE: Final = "people"
NAMES: Final = (CATALOG, PEOPLE, RIGHTS)
_VERSION: Final = "COALESCE((SELECT value FROM tracker_cacheversion WHERE name = %s), 0)"
_VERSIONS: Final = {
    f"version_{name}": RawSQL(_VERSION, [name], BigIntegerField())  # noqa: S611  nothing in it comes from outside
    for name in NAMES
}


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of the three caches at one moment."""

    catalog: int
    people: int
    rights: int


def with_versions(users: QuerySet[Any]) -> QuerySet[Any]:
    """Return the queryset of users with the versions read along, in the same query.

    Written out, since every request asks this and building it from subqueries cost more than asking it.
    """
    read_along: QuerySet[Any] = users.annotate(**_VERSIONS)
    return read_along


def versions_of(user: Any) -> Versions:
    """Return the versions that were read with this user object, or read them now.

    A user object lives for one request, frame or read; whoever keeps one longer drops what it
    remembers by `forget_versions`.
    """
    held: Versions | None = getattr(user, "_versions", None)
    if held is None:
        if hasattr(user, "version_rights"):
            held = Versions(user.version_catalog, user.version_people, user.version_rights)
        else:
            held = current()
        user._versions = held
    return held


def current() -> Versions:
    """Read the versions now, in one query."""
    values = dict(CacheVersion.objects.values_list("name", "value"))
    return Versions(values.get(CATALOG, 0), values.get(PEOPLE, 0), values.get(RIGHTS, 0))


def remember(user: Any, versions: Versions) -> None:
    """Let `user` carry versions that were read elsewhere."""
    user._versions = versions


def forget_versions(user: Any) -> None:
    """Drop what was remembered, so that the next look reads the database."""
    user._versions = None
    for name in NAMES:
        if hasattr(user, f"version_{name}"):  # the user of a session is a proxy, whose own __dict__ is empty
            delattr(user, f"version_{name}")


def bump(*names: str, by: Caller | None = None) -> None:
    """Declare cached things changed, in the transaction that changes them.

    Locks the rows of the versions until commit, always in the order of their names.
    """
    for name in sorted(names):
        value = secrets.randbits(62)
        if not CacheVersion.objects.filter(name=name).update(value=value):
            CacheVersion.objects.update_or_create(name=name, defaults={"value": value})
    if by is not None and by.user is not None:
        forget_versions(by.user)
