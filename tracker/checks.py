"""What must be right before the product starts: each fault in one sentence (`manage.py check`)."""

import ipaddress
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError

from tracker import env

SHORTEST_SECRET: Final = 32
HIGHEST_PORT: Final = 65_535
MOST_PROCESSES: Final = 256
MOST_UPLOAD_MIB: Final = 2048
_TYPE: Final = re.compile(r"[a-z*]+/[a-z0-9.+*-]+")
OLDEST_SQLITE: Final = (3, 35, 0)
SAMPLE_ACCOUNTS: Final = tuple(
    f"{name}@example.com" for name in ("admin", "maintainer", "developer", "reporter")
)
_Apps = Sequence[AppConfig] | None


@register(Tags.security)
def check_production(app_configs: _Apps, **_: Any) -> list[CheckMessage]:
    """Refuse in production what is only good for trying the product out."""
    if env.TRACKER_ENV not in ("local", "production", "test"):
        return [_error("E001", f"TRACKER_ENV is {env.TRACKER_ENV!r}; it is local or production.")]
    if not env.IS_PRODUCTION:
        return []
    faults = {
        "E002": (settings.DEBUG, "DEBUG is on in production; unset it."),
        "E003": (
            "*" in settings.ALLOWED_HOSTS,
            "ALLOWED_HOSTS is * in production; name the hosts that the product answers for.",
        ),
        "E004": (
            not env.HAS_OWN_SECRET_KEY,
            "SECRET_KEY is not set; production uses no generated one.",
        ),
        "E005": (
            not env.HAS_OWN_JWT_KEY,
            "Neither JWT_SIGNING_KEY nor JWT_PRIVATE_KEY_FILE is set; production uses no generated one.",
        ),
        "E006": (env.RATE_LIMITS != "on", "RATE_LIMITS is off in production; unset it."),
    }
    return [_error(number, text) for number, (is_fault, text) in faults.items() if is_fault]


@register(Tags.security)
def check_keys(app_configs: _Apps, **_: Any) -> list[CheckMessage]:
    """Refuse keys that are weak, shared or unreadable."""
    found: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < SHORTEST_SECRET:
        found.append(_error("E010", f"SECRET_KEY is shorter than {SHORTEST_SECRET} characters."))
    if settings.JWT_PRIVATE_KEY_FILE:
        found += _check_key_file(Path(settings.JWT_PRIVATE_KEY_FILE))
    elif len(settings.JWT_SIGNING_KEY) < SHORTEST_SECRET:
        found.append(_error("E011", f"JWT_SIGNING_KEY is shorter than {SHORTEST_SECRET} characters."))
    elif settings.JWT_SIGNING_KEY == settings.SECRET_KEY:
        found.append(_error("E012", "JWT_SIGNING_KEY is the same as SECRET_KEY; use two."))
    return found


@register()
def check_settings(app_configs: _Apps, **_: Any) -> list[CheckMessage]:
    """Refuse values that mean nothing, and combinations that cannot work."""
    faults = {
        "E020": (
            bool(env.REDIS_URL) and not env.DATABASE_URL,
            "REDIS_URL is set without DATABASE_URL; set both, or neither.",
        ),
        "E021": (
            not settings.BASE_URL.startswith(("http://", "https://")),
            "BASE_URL does not begin with http:// or https://.",
        ),
        "E022": (
            env.REGISTRATION not in ("open", "invite"),
            f"REGISTRATION is {env.REGISTRATION!r}; it is open or invite.",
        ),
        "E023": (
            env.RATE_LIMITS not in ("on", "off"),
            f"RATE_LIMITS is {env.RATE_LIMITS!r}; it is on or off.",
        ),
        "E024": (not settings.ALLOWED_HOSTS, "ALLOWED_HOSTS is empty; nothing could be answered."),
        "E025": (
            bool(env.LIVE_URL) and not env.LIVE_URL.startswith(("http://", "https://", "ws://", "wss://")),
            "LIVE_URL does not begin with http://, https://, ws:// or wss://.",
        ),
    }
    return [_error(number, text) for number, (is_fault, text) in faults.items() if is_fault]


@register()
def check_servers(app_configs: _Apps, **_: Any) -> list[CheckMessage]:
    """Refuse ports, numbers of processes and proxies that mean nothing."""
    ports = {"PORT": env.PORT, "WS_PORT": env.WS_PORT}
    numbers = {
        name: getattr(env, name)
        for name in ("HTTP_WORKERS", "HTTP_THREADS", "SOCKET_PROCESSES", "TASK_PROCESSES")
    }
    return [
        *(
            _error("E050", f"{name} is {port}; a port is a number from 1 to {HIGHEST_PORT}.")
            for name, port in ports.items()
            if not 0 <= port <= HIGHEST_PORT  # 0: any free one, which tests ask for
        ),
        *(
            _error("E051", f"PORT and WS_PORT are both {port}; sockets need a port of their own.")
            for port in {env.PORT} & {env.WS_PORT}
            if port
        ),
        *(
            _error("E052", f"{name} is {number}; it is from 1 to {MOST_PROCESSES}.")
            for name, number in numbers.items()
            if not 1 <= number <= MOST_PROCESSES
        ),
        *(
            _error("E053", f"TRUSTED_PROXIES holds {text!r}; it takes addresses, networks and unix.")
            for text in env.TRUSTED_PROXIES
            if not _is_proxy(text.strip())
        ),
    ]


@register()
def check_files(app_configs: _Apps, **_: Any) -> list[CheckMessage]:
    """Refuse settings of uploads that mean nothing."""
    strange = [name for name in settings.UPLOAD_TYPES if not _TYPE.fullmatch(name)]
    prefix = settings.FILES_ACCEL_PREFIX
    faults = {
        "E060": (
            not 1 <= settings.MAX_UPLOAD_MIB <= MOST_UPLOAD_MIB,
            f"MAX_UPLOAD_MIB is {settings.MAX_UPLOAD_MIB}; it is from 1 to {MOST_UPLOAD_MIB}.",
        ),
        "E064": (
            not 1 <= settings.MAX_IMPORT_MIB <= MOST_UPLOAD_MIB,
            f"MAX_IMPORT_MIB is {settings.MAX_IMPORT_MIB}; it is from 1 to {MOST_UPLOAD_MIB}.",
        ),
        "E061": (
            bool(strange),
            f"UPLOAD_TYPES names {', '.join(strange)}; a type is like image/png or image/*.",
        ),
        "E062": (
            settings.ATTACHMENT_RETENTION_DAYS < 0,
            "ATTACHMENT_RETENTION_DAYS is negative; unset it to keep attachments.",
        ),
        "E063": (
            bool(prefix) and not (prefix.startswith("/") and prefix.endswith("/")),
            f"FILES_ACCEL_PREFIX is {prefix!r}; it begins and ends with a slash, like /_files/.",
        ),
    }
    return [_error(number, text) for number, (is_fault, text) in faults.items() if is_fault]


@register(Tags.security, deploy=True)
def check_deployment(app_configs: _Apps, **_: Any) -> list[CheckMessage]:
    """Warn where passwords would cross the network in the clear (`manage.py check --deploy`)."""
    if settings.BASE_URL.startswith("https://"):
        return []
    text = "BASE_URL is not https; cookies and passwords would cross the network in the clear."
    return [Warning(text, id="tracker.W030")]


@register(Tags.database)
def check_database(
    app_configs: _Apps, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Refuse a database that is too old, and sample accounts in production."""
    found: list[CheckMessage] = []
    if not settings.IS_POSTGRES and sqlite3.sqlite_version_info < OLDEST_SQLITE:
        wanted = ".".join(map(str, OLDEST_SQLITE))
        found.append(
            _error("E040", f"SQLite is {sqlite3.sqlite_version}; {wanted} or later is needed (RETURNING).")
        )
    if databases and env.IS_PRODUCTION and (present := _sample_accounts()):
        found.append(
            _error("E041", f"Sample accounts are in the database: {', '.join(present)}; delete them.")
        )
    return found


def _sample_accounts() -> list[str]:
    try:
        users = apps.get_model("accounts", "User")
        found = users._default_manager.filter(email__in=SAMPLE_ACCOUNTS, is_active=True)
        return sorted(found.values_list("email", flat=True))
    except DatabaseError:  # not migrated yet
        return []


def _is_proxy(text: str) -> bool:
    try:
        return text == "unix" or bool(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return False


def _check_key_file(path: Path) -> list[CheckMessage]:
    try:
        load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        return [_error("E013", f"JWT_PRIVATE_KEY_FILE cannot be read: {error.strerror}.")]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return [_error("E014", "JWT_PRIVATE_KEY_FILE holds no private key in PEM without a password.")]
    return []


def _error(number: str, sentence: str) -> Error:
    return Error(sentence, id=f"tracker.{number}")
