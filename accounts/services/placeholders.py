"""People of another system: the accounts that stand for them here."""

import uuid
from collections.abc import Collection, Iterable
from typing import Final, TypeAlias

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts import policy
from accounts.models import ExternalIdentity, User, fold_email
from accounts.services.fields import PLACEHOLDER_DOMAIN, line_from_elsewhere
from accounts.services.roles import mirror_roles
from accounts.services.users import described
from tracker.caller import Caller
from tracker.errors import Invalid
from tracker.events.record import record_many
from tracker.models import Event

Person: TypeAlias = tuple[str, str, str | None]
_MAX_EXTERNAL_ID: Final = 200
_CHUNK: Final = 500


@transaction.atomic
def ensure_placeholders(*, by: Caller, source: str, people: Collection[Person]) -> dict[str, User]:
    """Return the account of each `(external id, display name, e-mail address or None)`, by external id.

    It is the one that stood for this person before, else the account of the address, else a new placeholder:
    not active, without a role's rights, under an address that nobody can have. With the right to manage
    users. Raises `NotAllowed`, `Invalid`.
    """
    policy.require(allowed=policy.can_manage_users(by.user), message="You may not create accounts.")
    wanted = {external_id: (name, email) for external_id, name, email in people}
    _require_short([source, *wanted])
    found = _known(source, wanted)
    missing = {key: person for key, person in wanted.items() if key not in found}
    by_email = _by_email(fold_email(email) for _, email in missing.values() if email)
    matched = {key: by_email.get(fold_email(email or "")) for key, (_, email) in missing.items()}
    fresh = {
        key: _placeholder(name, key, by=by) for key, (name, _) in missing.items() if matched[key] is None
    }
    _insert(list(fresh.values()), by=by)
    added = {key: user for key, user in matched.items() if user is not None} | fresh
    ExternalIdentity.objects.bulk_create(
        [ExternalIdentity(source=source, external_id=key, user=user) for key, user in added.items()],
        batch_size=_CHUNK,
    )
    return found | added


def _require_short(texts: Iterable[str]) -> None:
    long = next((text for text in texts if len(text) > _MAX_EXTERNAL_ID), None)
    if long is not None:
        raise Invalid(fields={"external_id": [f"At most {_MAX_EXTERNAL_ID} characters: {long[:40]}…"]})


def _known(source: str, external_ids: Iterable[str]) -> dict[str, User]:
    found: dict[str, User] = {}
    for chunk in _chunks(external_ids):
        rows = ExternalIdentity.objects.filter(source=source, external_id__in=chunk).select_related("user")
        found |= {row.external_id: row.user for row in rows}
    return found


def _by_email(emails: Iterable[str]) -> dict[str, User]:
    found: dict[str, User] = {}
    for chunk in _chunks(emails):
        found |= {user.email: user for user in User.objects.filter(email__in=chunk)}
    return found


def _placeholder(name: str, external_id: str, *, by: Caller) -> User:
    return User(
        email=f"{uuid.uuid4().hex}@{PLACEHOLDER_DOMAIN}",
        name=line_from_elsewhere(name, otherwise=line_from_elsewhere(external_id, otherwise="Somebody")),
        password=make_password(None),
        is_active=False,
        is_placeholder=True,
        created_at=by.now,
    )


def _insert(users: list[User], *, by: Caller) -> None:
    if not users:
        return
    User.objects.bulk_create(users, batch_size=_CHUNK)
    mirror_roles(users)
    record_many(
        Event(
            verb="user.created", subject_id=user.pk, data=described(user) | {"is_placeholder": True},
            actor_id=by.actor.pk, source=by.source, cause_id=by.cause, request_id=by.request_id, at=by.now,
        )
        for user in users
    )  # fmt: skip


def _chunks(items: Iterable[str]) -> Iterable[list[str]]:
    unique = sorted(set(items))
    return (unique[start : start + _CHUNK] for start in range(0, len(unique), _CHUNK))
