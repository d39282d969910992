"""`Idempotency-Key`: the same POST sent again gives the first reply again.

Two transactions. The first commits a claim on the key with a lease, so that others see it at once. The
second runs the handler and stores its reply together with its writes: after a crash there are both or
none. A refused request keeps its reply and none of its writes. The lease is the fence: a runner whose
claim was taken over stores nothing and therefore writes nothing.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from tracker import clock
from tracker.errors import Conflict, IdempotencyMismatch, Invalid
from tracker.models import IdempotencyKey
from tracker.rollback import undoing

KEEP: Final = timedelta(hours=24)
LEASE: Final = timedelta(seconds=60)
HEADER: Final = "Idempotency-Key"
_NOT_KEPT: Final = frozenset({401, 409, 429})
_KEPT_HEADERS: Final = ("Content-Type", "Content-Language", "ETag", "Location", "Link", "Retry-After")


class _Refused(Exception):
    """Carries a finished reply out of the transaction, so that its writes are undone."""

    def __init__(self, response: HttpResponse) -> None:
        self.response = response
        super().__init__()


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request with a key asks for."""

    user_id: Any
    key: str
    method: str
    path: str
    body_hash: str


def key_of(request: HttpRequest) -> str | None:
    """Return the key that was sent. Raises Invalid for one that is not 1 to 255 visible ASCII characters."""
    key: str | None = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not all("!" <= char <= "~" for char in key):
        raise Invalid(fields={HEADER: ["Must be 1 to 255 visible ASCII characters."]})
    return key


def claim_of(request: HttpRequest, *, user_id: Any, key: str, body_hash: str) -> Claim:
    """Return the claim of a request; its path counts without the closing slash."""
    path = request.path.rstrip("/")
    if len(path) > 400:
        path = hashlib.sha256(path.encode()).hexdigest()
    return Claim(user_id, key, request.method or "", path, body_hash)


def hash_of(raw: bytes) -> str:
    """Return the hash of a body of JSON."""
    return hashlib.sha256(raw).hexdigest()


def run_once(
    claim: Claim, handler: Callable[[], HttpResponse], *, refuse: Callable[[Exception], HttpResponse]
) -> HttpResponse:
    """Run the handler under the claim and keep its reply, or return the reply that was kept.

    `refuse` makes a reply of what the handler raises. Raises Conflict while another request with the key
    runs, IdempotencyMismatch where the key belongs to another request.
    """
    row = _take(claim)
    if row.status_code is not None:
        return _replay(row)
    try:
        with undoing(), transaction.atomic():
            response = handler()
            _undo_if_refused(response)
            _store(row, response)
            return response
    except _Refused as refused:
        response = refused.response
    except Exception as failure:  # noqa: BLE001  whatever it was, it becomes the reply
        response = refuse(failure)
    _settle(row, response)
    return response


def _undo_if_refused(response: HttpResponse) -> None:
    if response.status_code >= 400:
        raise _Refused(response)


def _take(claim: Claim) -> IdempotencyKey:
    now = clock.now()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(
                user_id=claim.user_id,
                key=claim.key,
                method=claim.method,
                path=claim.path,
                body_hash=claim.body_hash,
                created_at=now,
                leased_until=now + LEASE,
            )
    except IntegrityError:
        row = IdempotencyKey.objects.filter(user_id=claim.user_id, key=claim.key).first()
    if row is None:  # it was given up a moment ago
        raise _still_running()
    if row.created_at <= now - KEEP:
        return _take_over(row, claim)
    if (row.method, row.path, row.body_hash) != (claim.method, claim.path, claim.body_hash):
        raise IdempotencyMismatch
    if row.status_code is not None:
        return row
    if row.leased_until > now:
        raise _still_running()
    return _take_over(row, claim)


def _take_over(row: IdempotencyKey, claim: Claim) -> IdempotencyKey:
    now = clock.now()
    fresh = {
        "method": claim.method,
        "path": claim.path,
        "body_hash": claim.body_hash,
        "created_at": now,
        "leased_until": now + LEASE,
        "status_code": None,
    }
    same = IdempotencyKey.objects.filter(pk=row.pk, leased_until=row.leased_until, created_at=row.created_at)
    if not same.update(**fresh):
        raise _still_running()
    for name, value in fresh.items():
        setattr(row, name, value)
    return row


def _mine(row: IdempotencyKey) -> Any:
    return IdempotencyKey.objects.filter(pk=row.pk, leased_until=row.leased_until, status_code=None)


def _store(row: IdempotencyKey, response: HttpResponse) -> None:
    headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    if not _mine(row).update(status_code=response.status_code, headers=headers, body=response.content):
        raise _still_running()


def _settle(row: IdempotencyKey, response: HttpResponse) -> None:
    if response.status_code >= 500 or response.status_code in _NOT_KEPT:
        _mine(row).delete()
    else:
        _store(row, response)


def _replay(row: IdempotencyKey) -> HttpResponse:
    response = HttpResponse(bytes(row.body), status=row.status_code)
    del response["Content-Type"]
    for name, value in row.headers.items():
        response[name] = value
    response["Idempotent-Replayed"] = "true"
    return response


def _still_running() -> Conflict:
    return Conflict("A request with this Idempotency-Key is still running.")
