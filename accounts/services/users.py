"""Accounts: made, changed, deactivated.

The last active admin stays one, whoever asks and however many at once.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts import policy
from accounts.models import Role, User, fold_email, new_stamp
from accounts.services import fields
from accounts.services.endings import end_everything
from accounts.services.roles import mirror_roles
from tracker import clock
from tracker.caller import Caller
from tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from tracker.events.record import record
from tracker.files.storage import drop_after_commit
from tracker.versions import PEOPLE, RIGHTS, bump

OWN_FIELDS: Final = frozenset({"name", "time_zone", "language", "avatar"})
EDITABLE_FIELDS: Final = OWN_FIELDS | {"email", "role", "is_active"}

_CLEAN: Final[Mapping[str, Callable[[object], Any]]] = {
    "email": fields.clean_email,
    "name": fields.clean_name,
    "role": fields.clean_role,
    "is_active": fields.clean_active,
    "time_zone": fields.clean_time_zone,
    "language": fields.clean_language,
    "avatar": fields.clean_avatar,
}
_LAST_ADMIN: Final = "There must be an active admin: this is the only one."


def create_user(
    *,
    by: Caller | None,
    email: str,
    name: str,
    role: str = Role.REPORTER,
    password: str | None = None,
    is_active: bool = True,
    is_placeholder: bool = False,
    time_zone: str = "UTC",
    language: str = "en",
) -> User:
    """Make an account; without a password nobody signs in with it. `by` is None where the system itself acts.

    The password is hashed before the transaction begins: it takes half a second, and on SQLite every writer
    would wait for it.

    Raises `NotAllowed`, `Invalid`, and `Conflict` where the address is taken.
    """
    if by is not None:
        policy.require(allowed=policy.can_manage_users(by.user), message="You may not create accounts.")
    values = {"email": email, "name": name, "role": role, "is_active": is_active}
    values = _cleaned(values | {"time_zone": time_zone, "language": language})
    user = User(is_placeholder=is_placeholder, created_at=by.now if by else clock.now(), **values)
    user.password = make_password(_new_password(password, user=user, by=by))
    with transaction.atomic():
        return insert_user(user, by=by)


def insert_user(user: User, *, by: Caller | None) -> User:
    """Store a prepared account, its role's group and the event.

    Raises `Conflict` where the address is taken.
    """
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        taken = {"fields": {"email": ["There is an account with this address."]}}
        raise Conflict("There is an account with this address.", details=taken) from None
    bump(PEOPLE, by=by)  # forms offer who is active, and keep the list by this version
    mirror_roles([user])
    record(
        by=by or Caller(user=user, source="system"),
        verb="user.created",
        subject_id=user.pk,
        data=described(user),
    )
    return user


@transaction.atomic
def edit_user(user_id: uuid.UUID, *, by: Caller, changes: Mapping[str, Any]) -> User:
    """Change fields of an account: one's own `OWN_FIELDS`; all of `EDITABLE_FIELDS` with the right to manage
    users.

    Locks the account and, where role or activity changes, every active admin, in the order of ids. Raises
    `NotFound` where the account is hidden, `NotAllowed` naming the fields, `Invalid`, `Conflict`.
    """
    user = _lock(user_id, by=by, with_admins=not changes.keys().isdisjoint({"role", "is_active"}))
    unknown = changes.keys() - EDITABLE_FIELDS
    if unknown:
        raise Invalid(
            fields={name: ["This field of an account cannot be changed."] for name in sorted(unknown)}
        )
    if not policy.can_manage_users(by.user):
        _require_own_fields(user, changes)
    values = {name: value for name, value in _cleaned(changes).items() if value != getattr(user, name)}
    if values:
        _require_an_admin_left(user, values)
        _store(user, values, by=by)
    return user


@transaction.atomic
def set_role(user_id: uuid.UUID, *, by: Caller, role: str) -> User:
    """Give an account another role. Locks and raises as `edit_user`."""
    return edit_user(user_id, by=by, changes={"role": role})


@transaction.atomic
def activate_user(user_id: uuid.UUID, *, by: Caller) -> User:
    """Let a person sign in again. Locks and raises as `edit_user`."""
    return edit_user(user_id, by=by, changes={"is_active": True})


@transaction.atomic
def deactivate_user(user_id: uuid.UUID, *, by: Caller) -> User:
    """Take an account out of use, one's own or any with the right to manage users.

    Every sign-in of it is over. Locks and raises as `edit_user`.
    """
    user = _lock(user_id, by=by, with_admins=True)
    if user.is_active:
        _require_an_admin_left(user, {"is_active": False})
        _store(user, {"is_active": False}, by=by)
    return user


def described(user: User) -> dict[str, Any]:
    """Return what the log says of a new account."""
    return {"name": user.name, "email": user.email, "role": str(user.role)}


# --- rules -------------------------------------------------------------------------------------------
def _lock(user_id: uuid.UUID, *, by: Caller, with_admins: bool) -> User:
    if user_id != by.user.pk and not policy.can_manage_users(by.user):
        raise NotFound
    wanted = Q(pk=user_id)
    if with_admins:
        wanted |= Q(role=Role.ADMIN, is_active=True)
    rows: QuerySet[User] = User.objects.select_for_update(no_key=True).filter(wanted).order_by("pk")
    locked = {user.pk: user for user in rows}
    if user_id not in locked:
        raise NotFound
    return locked[user_id]


def _require_own_fields(user: User, changes: Mapping[str, Any]) -> None:
    refused = {name for name in changes.keys() - OWN_FIELDS if _would_change(user, name, changes[name])}
    if refused:
        raise NotAllowed(fields={name: ["You may not set this field."] for name in sorted(refused)})


def _would_change(user: User, name: str, value: object) -> bool:
    if name == "email" and isinstance(value, str):
        value = fold_email(value)
    return bool(value != getattr(user, name))


def _require_an_admin_left(user: User, values: Mapping[str, Any]) -> None:
    """Refuse what would leave nobody to manage users; the active admins are locked."""
    was_admin = user.role == Role.ADMIN and user.is_active
    stays_admin = values.get("role", user.role) == Role.ADMIN and values.get("is_active", user.is_active)
    if was_admin and not stays_admin:
        others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
        if not others.exists():
            raise Conflict(_LAST_ADMIN)


# --- values ------------------------------------------------------------------------------------------
def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _CLEAN[name](value) for name, value in values.items()}


def _new_password(password: str | None, *, user: User, by: Caller | None) -> str | None:
    """The seed's sample accounts pass by the validators, outside production only."""
    is_sample = by is not None and by.source == "seed" and settings.TRACKER_ENV != "production"
    if password is None or is_sample:
        return password
    return fields.clean_password(password, user=user)


# --- writing -----------------------------------------------------------------------------------------
def _store(user: User, values: Mapping[str, Any], *, by: Caller) -> None:
    before = {name: getattr(user, name) for name in values}
    for name, value in values.items():
        setattr(user, name, value)
    names = set(values)
    if "email" in values and user.is_placeholder:
        user.is_placeholder = False
        names.add("is_placeholder")
    if values.get("is_active") is False:
        user.sign_in_stamp = new_stamp()
        names.add("sign_in_stamp")
    try:
        with transaction.atomic():
            user.save(update_fields=sorted(names))
    except IntegrityError:
        taken = {"fields": {"email": ["There is an account with this address."]}}
        raise Conflict("There is an account with this address.", details=taken) from None
    if before.get("avatar"):
        drop_after_commit([before["avatar"]])
    _follow_up(user, values, by=by)
    _record_edit(user, {name: [before[name], value] for name, value in values.items()}, by=by)


def _follow_up(user: User, values: Mapping[str, Any], *, by: Caller) -> None:
    if "role" in values:
        mirror_roles([user])
    if values.get("is_active") is False:
        end_everything(user, reason="deactivated")
    stale = ({RIGHTS} if values.keys() & {"role", "is_active"} else set()) | (
        {PEOPLE} if values.keys() & {"name", "avatar", "is_active"} else set()
    )
    if stale:
        bump(*stale, by=by)


def _record_edit(user: User, changes: dict[str, list[Any]], *, by: Caller) -> None:
    verbs = {
        "role": "user.role_changed",
        "is_active": "user.activated" if user.is_active else "user.deactivated",
    }
    for name, verb in verbs.items():
        if name in changes:
            record(
                by=by, verb=verb, subject_id=user.pk, changes={name: changes[name]}, data={"name": user.name}
            )
    rest = {name: change for name, change in changes.items() if name not in verbs}
    if "avatar" in rest:
        rest["avatar"] = [key.rpartition("-")[2] or None for key in rest["avatar"]]
    if rest:
        record(by=by, verb="user.changed", subject_id=user.pk, changes=rest, data={"name": user.name})
