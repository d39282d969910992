"""Whom the words of a file mean, among the people who are here."""

import uuid
from collections import defaultdict
from collections.abc import Mapping

from accounts.models import ExternalIdentity, User, fold_email
from issues.refs import parse_uuid
from issues.scope import scope_of
from tracker.caller import Caller
from tracker.versions import remember, versions_of


def find_people(
    wanted: Mapping[str, str],
    *,
    by: Caller,
    source: str,
    is_migration: bool,
    project_id: uuid.UUID | None = None,
) -> dict[str, User]:
    """Return the account of each word (an address, an id, or a name that one person has), by folded word.

    A migration knows everybody, and whom an earlier one made a placeholder for; others know who is active
    and sees the project that the issues go to.
    """
    if not wanted:
        return {}
    users = User.objects.all() if is_migration else User.objects.active()
    by_email: dict[str, User] = {}
    by_id: dict[uuid.UUID, User] = {}
    by_name: dict[str, list[User]] = defaultdict(list)
    for user in users.iterator(chunk_size=1000):
        by_email[user.email] = user
        by_id[user.pk] = user
        by_name[user.name.casefold()].append(user)
    earlier = _placeholders(source, wanted) if is_migration else {}
    found: dict[str, User] = {}
    for key, word in wanted.items():
        named = by_name.get(key, [])
        person_id = parse_uuid(word)
        user = (
            earlier.get(key)
            or (by_email.get(fold_email(word)) if "@" in word else None)
            or (by_id.get(person_id) if person_id else None)
            or (named[0] if len(named) == 1 else None)
        )
        if user is not None and (is_migration or _is_known(user, by=by, project_id=project_id)):
            found[key] = user
    return found


def _placeholders(source: str, wanted: Mapping[str, str]) -> dict[str, User]:
    rows = ExternalIdentity.objects.filter(source=source, external_id__in=list(wanted)).select_related("user")
    return {row.external_id: row.user for row in rows}


def _is_known(user: User, *, by: Caller, project_id: uuid.UUID | None) -> bool:
    """Whether somebody sees the project of the import; no file tells who else has an account."""
    remember(user, versions_of(by.user))
    if project_id is not None:
        return scope_of(user).sees_project(project_id)
    return bool(scope_of(user).project_ids & scope_of(by.user).project_ids)
