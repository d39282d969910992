"""What the values of an account or a team must be to be stored, whoever sends them."""

import unicodedata
import zoneinfo
from dataclasses import dataclass
from functools import cache
from typing import Final

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import Role, User, fold_email
from tracker.errors import Invalid

MAX_NAME: Final = 100
MAX_EMAIL: Final = 254
MAX_PASSWORD: Final = 1024
MAX_TEXT_BYTES: Final = 64 * 1024
PLACEHOLDER_DOMAIN: Final = "placeholder.invalid"

# They turn the text around them, so that a name could show as another one.
_DIRECTION_CHANGES: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class KeptPicture:
    """A picture in the storage that no account refers to yet."""

    key: str


def clean_name(value: object, *, field: str = "name") -> str:
    """Return a name, trimmed: 1 to 100 characters, none a control character or a change of direction."""
    text = _text(value, field=field).strip()
    if not _is_line(text):
        raise Invalid(fields={field: ["Control characters are not allowed here."]})
    if not text:
        raise Invalid(fields={field: ["May not be empty."]})
    if len(text) > MAX_NAME:
        raise Invalid(fields={field: [f"At most {MAX_NAME} characters; these are {len(text)}."]})
    return text


def clean_description(value: object, *, field: str = "description") -> str:
    """Return a text of many lines, at most 64 KiB in UTF-8, without NUL; line ends become LF."""
    text = _text(value, field=field).replace("\r\n", "\n")
    if "\0" in text:
        raise Invalid(fields={field: ["NUL characters are not allowed."]})
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise Invalid(fields={field: ["At most 64 KiB."]})
    return text


def clean_email(value: object, *, field: str = "email") -> str:
    """Return the folded address of a valid e-mail address of at most 254 characters."""
    folded = fold_email(_text(value, field=field))
    try:
        validate_email(folded)
    except ValidationError:
        raise Invalid(fields={field: ["This is not an e-mail address."]}) from None
    if len(folded) > MAX_EMAIL or not _is_line(folded):
        raise Invalid(fields={field: ["This is not an e-mail address."]})
    if folded.endswith(f"@{PLACEHOLDER_DOMAIN}"):
        raise Invalid(fields={field: ["This domain is kept for placeholders."]})
    return folded


def clean_role(value: object, *, field: str = "role") -> str:
    """Return one of the four roles."""
    if value not in Role.values:
        raise Invalid(fields={field: [f"One of {', '.join(Role.values)}."]})
    return str(value)


def clean_active(value: object, *, field: str = "is_active") -> bool:
    """Return whether an account is to be active."""
    if not isinstance(value, bool):
        raise Invalid(fields={field: ["Must be true or false."]})
    return value


def clean_time_zone(value: object, *, field: str = "time_zone") -> str:
    """Return the name of a time zone that this machine knows."""
    if not isinstance(value, str) or value not in time_zones():
        raise Invalid(fields={field: ["Must be the name of a time zone, such as Europe/Berlin."]})
    return value


def clean_language(value: object, *, field: str = "language") -> str:
    """Return the code of a language that the product has."""
    if not isinstance(value, str) or value not in dict(settings.LANGUAGES):
        raise Invalid(fields={field: [f"One of {', '.join(dict(settings.LANGUAGES))}."]})
    return value


def clean_avatar(value: object, *, field: str = "avatar") -> str:
    """Return the key of a picture that was stored; "" for None."""
    if value is None:
        return ""
    if not isinstance(value, KeptPicture):
        raise Invalid(fields={field: ["Must be a picture, or null."]})
    return value.key


def clean_password(value: object, *, user: User, field: str = "password") -> str:
    """Return a new password that Django's validators let pass for this person."""
    password = _text(value, field=field)
    if len(password) > MAX_PASSWORD:
        raise Invalid(fields={field: [f"At most {MAX_PASSWORD} characters."]})
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(fields={field: list(error.messages)}) from None
    return password


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones; the disk is read once a process."""
    return frozenset(zoneinfo.available_timezones())


def line_from_elsewhere(text: str, *, otherwise: str) -> str:
    """Return a name that another system gave, made to fit: what may not be in it is left out."""
    kept = "".join(char for char in text if _is_line(char)).strip()
    return kept[:MAX_NAME].strip() or otherwise


def _text(value: object, *, field: str) -> str:
    if not isinstance(value, str):
        raise Invalid(fields={field: ["Must be text."]})
    if any(unicodedata.category(char) == "Cs" for char in value):
        raise Invalid(fields={field: ["This is not valid Unicode."]})
    return value


def _is_line(text: str) -> bool:
    return not any(unicodedata.category(char) in {"Cc", "Cs"} or char in _DIRECTION_CHANGES for char in text)
