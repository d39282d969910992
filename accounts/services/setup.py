"""The first people of a new installation, by a link that works once and only while there is nobody."""

import hashlib
import logging
import secrets
from typing import Final

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from accounts.models import Role, SetupLink, SetupState, User
from accounts.services.users import create_user
from tracker import clock
from tracker.errors import DomainError, NotAllowed, NotFound

_PREFIX: Final = "setup_"
_log = logging.getLogger(__name__)


@transaction.atomic
def make_setup_token() -> str | None:
    """Return the secret of a fresh set-up link, which ends the links before it; None where there are people.

    Only its SHA-256 is stored.
    """
    if User.objects.exists():
        return None
    SetupLink.objects.all().delete()
    token = _PREFIX + secrets.token_urlsafe(32)
    SetupLink.objects.create(digest=_digest(token), created_at=clock.now())
    return token


def find_setup_link(token: str) -> SetupLink:
    """Return a link that was not used up. Raises `NotFound`."""
    link = SetupLink.objects.filter(digest=_digest(token)).exclude(state=SetupState.USED).first()
    if link is None or (link.state == SetupState.OPEN and User.objects.exists()):
        raise NotFound
    return link


@transaction.atomic
def make_first_admin(token: str, *, email: str, name: str, password: str) -> User:
    """Make the first admin and use the link up; of two at once one does. Raises `NotFound`, `Invalid`."""
    _claim(token, SetupState.USED)
    return create_user(by=None, email=email, name=name, role=Role.ADMIN, password=password)


def start_filling(token: str) -> None:
    """Take the link for filling in sample data; of two at once one does. Raises `NotFound`, `NotAllowed`."""
    if not has_samples():
        raise NotAllowed("There is no sample data in production.")
    with transaction.atomic():
        _claim(token, SetupState.FILLING)


def has_samples() -> bool:
    """Whether sample data may be filled in: outside production."""
    return bool(settings.TRACKER_ENV != "production")


def fill(token: str) -> None:
    """Fill in the sample data after `start_filling`, which may take a minute.

    A failure is logged and opens the link again.
    """
    link = SetupLink.objects.filter(digest=_digest(token), state=SetupState.FILLING)
    try:
        call_command("seed_demo")
    except (CommandError, DomainError, DatabaseError) as error:
        _log.exception("the sample data could not be filled in")
        link.update(state=SetupState.OPEN, error=str(error)[:300])
        return
    link.update(state=SetupState.USED)


def _claim(token: str, state: SetupState) -> None:
    """Locks the link until the end of the transaction."""
    won = SetupLink.objects.filter(digest=_digest(token), state=SetupState.OPEN).update(state=state, error="")
    if not won or User.objects.exists():
        raise NotFound


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
