"""Signing in: by password, and then by refresh tokens that are each good for one use.

A family is one sign-in of an API client. Each use of a refresh token gives the next pair; a second use of
one means that two hold it, and ends the family with its access tokens.
"""

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction

from accounts.models import RefreshToken, TokenFamily, User, fold_email
from accounts.services import attempts
from accounts.services.endings import end_family
from accounts.services.passwords import is_password_of, upgrade_hash
from accounts.tokens import Claims, TokenType, access_lifetime, decode, encode, expiry
from tracker import clock
from tracker.errors import Unauthenticated
from tracker.ids import new_id
from tracker.versions import with_versions

_WRONG: Final = "The e-mail address or the password is wrong."
_OVER: Final = "This sign-in is over. Sign in again."


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What an API client holds after signing in."""

    user: User
    access: str
    refresh: str
    expires_in_seconds: int


def sign_in(email: str, password: str, *, address: str) -> User:
    """Return the active account of an e-mail address and a password.

    The answer and its time are the same for an unknown address, a wrong password and an account that is
    not active. Failures are counted, and stay counted: call it outside of a transaction. Raises
    `Unauthenticated`, `RateLimited`.
    """
    email = fold_email(email)
    attempts.require_sign_in(email=email, address=address)
    found: User | None = (
        with_versions(User.objects.filter(email=email)).first() if email.isprintable() else None
    )
    if not is_password_of(found, password) or found is None or not found.is_active:
        attempts.note_failed_sign_in(email=email, address=address)
        raise Unauthenticated(_WRONG)
    attempts.require_sign_in(email=email, address=address)
    upgrade_hash(found, password)
    User.objects.filter(pk=found.pk).update(last_login=(moment := clock.now()))
    found.last_login = moment
    return found


@transaction.atomic
def start_family(user: User) -> TokenPair:
    """Begin a sign-in of an API client. Locks the account.

    `user` is as `sign_in` found it: where the password was changed or the account deactivated in between,
    raises `Unauthenticated`.
    """
    locked = User.objects.select_for_update(no_key=True).filter(pk=user.pk, is_active=True).first()
    if locked is None or locked.password != user.password:
        raise Unauthenticated(_OVER)
    return _next_pair(TokenFamily.objects.create(user=user))


def rotate(refresh: str) -> TokenPair:
    """Use a refresh token up and return the next pair.

    Of several uses at once one wins. A second use ends the family, and that stays so though this raises
    `Unauthenticated`: call it outside of a transaction.
    """
    pair = _claim(decode(TokenType.REFRESH, refresh))
    if pair is None:
        raise Unauthenticated(_OVER)
    return pair


def sign_out(refresh: str) -> None:
    """End the family of a refresh token, used or not. Raises `Unauthenticated`."""
    end_family(decode(TokenType.REFRESH, refresh).family_id, reason="signed out")


@transaction.atomic
def _claim(claims: Claims) -> TokenPair | None:
    """Return the next pair, or None where there is none to be had; then a family that was alive is ended.

    Locks the family, so that the uses of its tokens come one after another.
    """
    families = TokenFamily.objects.select_for_update(of=("self",), no_key=True).select_related("user")
    family = families.filter(pk=claims.family_id, user_id=claims.user_id, ended_at__isnull=True).first()
    if family is None:
        return None
    token = RefreshToken.objects.filter(pk=claims.token_id, family=family)
    won = token.filter(used_at__isnull=True, expires_at__gt=clock.now()).update(used_at=clock.now())
    if won and family.user.is_active:
        return _next_pair(family)
    end_family(family.pk, reason="refresh token used twice" if not won else "deactivated")
    return None


def _next_pair(family: TokenFamily) -> TokenPair:
    refresh = RefreshToken.objects.create(family=family, expires_at=expiry(settings.REFRESH_TOKEN_LIFETIME))
    access_claims = Claims(family.user_id, family.pk, new_id(), expiry(access_lifetime()))
    refresh_claims = Claims(family.user_id, family.pk, refresh.pk, refresh.expires_at)
    return TokenPair(
        user=family.user,
        access=encode(TokenType.ACCESS, access_claims),
        refresh=encode(TokenType.REFRESH, refresh_claims),
        expires_in_seconds=int(access_lifetime().total_seconds()),
    )
