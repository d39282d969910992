"""Passwords: checked in equal time for everybody, changed so that every sign-in ends."""

import re
import uuid
from typing import Final

from django.contrib.auth.hashers import check_password, get_hasher, identify_hasher, make_password
from django.db import transaction

from accounts import policy
from accounts.models import User, new_stamp
from accounts.services import attempts, fields
from accounts.services.endings import end_everything
from tracker.caller import Caller
from tracker.errors import Invalid, NotFound
from tracker.events.record import record

_NO_PASSWORD: Final = "!"  # noqa: S105  Django's mark of an account that has none
_FOREIGN_BCRYPT: Final = re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}", re.ASCII)


def is_password_of(user: User | None, password: str) -> bool:
    """Whether this is the account's password. As long for nobody's account: a hash is made all the same."""
    try:
        return check_password(password, user.password if user else _NO_PASSWORD)
    except ValueError:  # bcrypt refuses more than 72 bytes, and text that is no Unicode has no hash
        return False


def upgrade_hash(user: User, password: str) -> None:
    """Store the password, which was just found right, by today's hasher where another one made its hash."""
    if not _is_outdated(user.password):
        return
    fresh = make_password(password)
    if User.objects.filter(pk=user.pk, password=user.password).update(password=fresh):
        user.password = fresh


def hash_from_elsewhere(foreign: str) -> str:
    """Return a bcrypt hash of another system in the form that is stored here; it is upgraded when it is used.

    Raises `Invalid` for anything else.
    """
    if not _FOREIGN_BCRYPT.fullmatch(foreign):
        raise Invalid(fields={"password": ["This is not a bcrypt hash."]})
    return f"bcrypt$$2b{foreign[3:]}"


def change_own_password(*, by: Caller, old: str, new: str, address: str) -> None:
    """Change the caller's password and end every sign-in, this one too.

    A wrong old password counts as a failed sign-in. Raises `Invalid`, `RateLimited`.
    """
    email = by.user.email
    attempts.require_sign_in(email=email, address=address)
    user = User.objects.filter(pk=by.user.pk, is_active=True).first()
    if user is None or not is_password_of(user, old):
        attempts.note_failed_sign_in(email=email, address=address)
        raise Invalid(fields={"old": ["This is not your password."]})
    _change(user.pk, by=by, new=new, field="new", expected_hash=user.password)


def set_password(user_id: uuid.UUID, *, by: Caller | None, new: str) -> None:
    """Give an account a new password, with the right to manage users, and end every sign-in of it.

    Raises `NotAllowed`, `NotFound`, `Invalid`.
    """
    if by is not None:
        policy.require(allowed=policy.can_manage_users(by.user), message="You may not set passwords.")
    _change(user_id, by=by, new=new, field="password")


@transaction.atomic
def store_foreign_hash(user_id: uuid.UUID, *, by: Caller | None, foreign: str) -> None:
    """Let a person of another system keep their password, whose bcrypt hash this is.

    Raises `NotAllowed`, `NotFound`, `Invalid`.
    """
    if by is not None:
        policy.require(allowed=policy.can_manage_users(by.user), message="You may not set passwords.")
    _store(_lock(user_id), hash_from_elsewhere(foreign), by=by)


@transaction.atomic
def _change(
    user_id: uuid.UUID, *, by: Caller | None, new: str, field: str, expected_hash: str | None = None
) -> None:
    user = _lock(user_id)
    if expected_hash is not None and user.password != expected_hash:
        raise Invalid(fields={"old": ["This is not your password."]})
    _store(user, make_password(fields.clean_password(new, user=user, field=field)), by=by)


def _lock(user_id: uuid.UUID) -> User:
    user: User | None = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user


def _store(user: User, encoded: str, *, by: Caller | None) -> None:
    user.password = encoded
    user.sign_in_stamp = new_stamp()
    user.save(update_fields=["password", "sign_in_stamp"])
    end_everything(user, reason="password changed")
    record(by=by, verb="user.password_changed", subject_id=user.pk, data={"name": user.name})


def _is_outdated(encoded: str) -> bool:
    preferred = get_hasher("default")
    return identify_hasher(encoded).algorithm != preferred.algorithm or preferred.must_update(encoded)
