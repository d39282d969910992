"""Registering oneself: always as a reporter."""

import uuid

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import Role, User
from accounts.services import attempts, fields
from accounts.services.users import insert_user
from tracker import clock
from tracker.caller import Caller, Source
from tracker.errors import Conflict, Invalid, NotAllowed


def register(
    *, email: str, name: str, password: str, address: str, source: Source = "api", request_id: str = ""
) -> User:
    """Make an account for who asks for one. The attempt is counted: call it outside of a transaction.

    Without a name, the part of the address before the @ is it. An address that has an account is refused in
    general words. Raises `NotAllowed` where registration is by invitation, `RateLimited`, `Invalid`.
    """
    require_open()
    email = fields.clean_email(email)
    user = User(email=email, name=fields.clean_name(name or name_from_email(email)), role=Role.REPORTER)
    user.created_at = clock.now()
    fields.clean_password(password, user=user)
    attempts.note_registration(address=address)
    user.password = make_password(password)
    return _insert(user, Caller(user=user, source=source, request_id=request_id))


def is_open() -> bool:
    """Whether everybody may register, not only who is invited."""
    return bool(settings.REGISTRATION != "invite")


def require_open() -> None:
    """Refuse with `NotAllowed` where accounts are made by invitation."""
    if not is_open():
        raise NotAllowed("Accounts are made by invitation here. Ask an admin.")


@transaction.atomic
def _insert(user: User, by: Caller) -> User:
    try:
        return insert_user(user, by=by)
    except Conflict:
        raise Invalid(fields={"email": ["This address cannot be registered."]}) from None


def name_from_email(email: str) -> str:
    """Return a first name for an account that was registered without one."""
    return fields.line_from_elsewhere(email.partition("@")[0], otherwise=str(uuid.uuid4()))
