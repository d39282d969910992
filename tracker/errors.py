"""What a service may refuse, as data. The API and the pages each turn it into their own form.

Services raise these and know nothing of HTTP; `tracker/api/errors.py` maps a kind to a status
and `tracker/web` maps it to a page.
"""

from typing import Any


class DomainError(Exception):
    """A refusal with a code, one sentence for a person, and details for a program."""

    code = "E_VALIDATION"
    default_message = "The request cannot be done."

    def __init__(self, message: str = "", *, details: dict[str, Any] | None = None) -> None:
        self.message = message or self.default_message
        self.details: dict[str, Any] = details or {}
        super().__init__(self.message)


class Invalid(DomainError):
    """Values that are malformed or name nothing the caller may see. 400."""

    default_message = "Some values are not valid."

    def __init__(
        self,
        message: str = "",
        *,
        fields: dict[str, list[str]] | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        self.fields = fields or {}
        details = {**(details or {}), **({"fields": self.fields} if self.fields else {})}
        if not message and self.fields:
            name, texts = next(iter(self.fields.items()))
            message = f"{name}: {texts[0]}"
        super().__init__(message, details=details)


class Unauthenticated(DomainError):
    """No identity, or one that is over. 401."""

    code = "E_UNAUTHENTICATED"
    default_message = "Sign in first."


class NotAllowed(DomainError):
    """Visible, but not for this caller. 403. `fields` names the fields that were refused."""

    code = "E_FORBIDDEN"
    default_message = "You may not do this."

    def __init__(self, message: str = "", *, fields: dict[str, list[str]] | None = None) -> None:
        self.fields = fields or {}
        super().__init__(message, details={"fields": self.fields} if self.fields else None)


class NotFound(DomainError):
    """Absent, or hidden from this caller: the two are never told apart. 404."""

    code = "E_NOT_FOUND"
    default_message = "There is nothing here."


class Conflict(DomainError):
    """The state of things does not allow it. 409."""

    code = "E_CONFLICT"
    default_message = "The state of the object does not allow this."


class Stale(DomainError):
    """The caller saw an older version. 412 for `If-Match`, 409 for `version` in the body.

    `issue_id` names the issue and `expected` the version that the caller had; the layer that
    answers adds `details = {"current": …, "changes": […]}` from them.
    """

    code = "E_STALE"
    default_message = "Somebody changed this since you read it."

    def __init__(self, *, issue_id: Any, expected: int | None, message: str = "") -> None:
        self.issue_id = issue_id
        self.expected = expected
        super().__init__(message)


class IllegalTransition(DomainError):
    """The workflow has no such step from here, or it requires fields that are empty. 422."""

    code = "E_TRANSITION"
    default_message = "The workflow does not allow this change of status."


class IdempotencyMismatch(DomainError):
    """The key was used with another request. 422."""

    code = "E_IDEMPOTENCY"
    default_message = "This Idempotency-Key was used with a different request."


class TooLarge(DomainError):
    """413."""

    code = "E_TOO_LARGE"
    default_message = "The request is too large."


class Unsupported(DomainError):
    """415."""

    code = "E_UNSUPPORTED"
    default_message = "This content type is not supported here."


class RateLimited(DomainError):
    """429, with the seconds to wait."""

    code = "E_RATE_LIMITED"
    default_message = "Too many requests. Wait a little and try again."

    def __init__(self, message: str = "", *, retry_after_seconds: int = 60) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class Unavailable(DomainError):
    """The database is locked, full or away. 503; nothing was stored."""

    code = "E_UNAVAILABLE"
    default_message = "The service cannot do this right now. Nothing was changed; try again shortly."
