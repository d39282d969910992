"""The only place where a setting is read from the environment or from `.env`."""

import contextlib
import os
import secrets
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

_env = environ.Env()
if os.environ.get("TRACKER_ENV") != "test" and (BASE_DIR / ".env").is_file():
    environ.Env.read_env(BASE_DIR / ".env")


def _int(name: str, default: int) -> int:
    """Return a whole number; raises `ImproperlyConfigured` naming the setting."""
    text = _env.str(name, "").strip()
    if text and not text.removeprefix("-").isdecimal():
        raise ImproperlyConfigured(f"{name} is {text!r}; it is a whole number.")
    return int(text) if text else default


def _database() -> dict[str, object]:
    """Return what `DATABASE_URL` says, or a file in `DATA_DIR`."""
    if not DATABASE_URL:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_DIR / "tracker.sqlite3")}
    if not DATABASE_URL.startswith(("postgres://", "postgresql://", "sqlite:///")):
        raise ImproperlyConfigured("DATABASE_URL does not begin with postgres:// or sqlite:///.")
    url: dict[str, object] = _env.db_url("DATABASE_URL")
    return url


def _secret_file(name: str) -> str:
    """Return the secret kept in `DATA_DIR/name`, making it (mode 600) where it is not there yet.

    Several processes may start at once: the first to link its file wins, and nobody reads half of one.
    """
    path = DATA_DIR / name
    if not path.exists():
        draft = DATA_DIR / f".{name}.{os.getpid()}"
        descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()


TRACKER_ENV: str = _env.str("TRACKER_ENV", "local")
IS_PRODUCTION: bool = TRACKER_ENV == "production"
DEBUG: bool = _env.bool("DEBUG", False)

DATA_DIR: Path = Path(_env.str("DATA_DIR", str(BASE_DIR / "data"))).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

HAS_OWN_SECRET_KEY: bool = bool(_env.str("SECRET_KEY", ""))
SECRET_KEY: str = _env.str("SECRET_KEY", "") or _secret_file("secret_key")
JWT_PRIVATE_KEY_FILE: str = _env.str("JWT_PRIVATE_KEY_FILE", "")
HAS_OWN_JWT_KEY: bool = bool(_env.str("JWT_SIGNING_KEY", "") or JWT_PRIVATE_KEY_FILE)
JWT_SIGNING_KEY: str = _env.str("JWT_SIGNING_KEY", "") or (
    "" if JWT_PRIVATE_KEY_FILE else _secret_file("jwt_signing_key")
)
ACCESS_TOKEN_MINUTES: int = _int("ACCESS_TOKEN_MINUTES", 15)
REFRESH_TOKEN_DAYS: int = _int("REFRESH_TOKEN_DAYS", 30)

DATABASE_URL: str = _env.str("DATABASE_URL", "")
REDIS_URL: str = _env.str("REDIS_URL", "")
DATABASE: dict[str, object] = _database()
STATEMENT_TIMEOUT_SECONDS: int = _int("STATEMENT_TIMEOUT_SECONDS", 10)

PORT: int = _int("PORT", 8000)
WS_PORT: int = _int("WS_PORT", PORT + 1)
SOCKETS_URL: str = _env.str("SOCKETS_URL", f"http://127.0.0.1:{WS_PORT}").rstrip("/")
CORES: int = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
HTTP_WORKERS: int = _int("HTTP_WORKERS", CORES)
HTTP_THREADS: int = _int("HTTP_THREADS", 3)
SOCKET_PROCESSES: int = _int("SOCKET_PROCESSES", CORES)
TASK_PROCESSES: int = _int("TASK_PROCESSES", CORES)

ALLOWED_HOSTS: list[str] = _env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
BASE_URL: str = _env.str("BASE_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
LIVE_URL: str = _env.str("LIVE_URL", "")
CORS_ALLOWED_ORIGINS: list[str] = _env.list("CORS_ALLOWED_ORIGINS", default=[])
TRUSTED_PROXIES: list[str] = _env.list("TRUSTED_PROXIES", default=[])

MAX_UPLOAD_MIB: int = _int("MAX_UPLOAD_MIB", 25)
MAX_IMPORT_MIB: int = _int("MAX_IMPORT_MIB", 100)
UPLOAD_TYPES: list[str] = [
    name.strip().lower()
    for name in _env.str("UPLOAD_TYPES", "").split(",")
    if name.strip()
] or [
    "image/*", "video/*", "audio/*", "text/plain", "application/pdf", "application/zip", "application/gzip",
    "application/x-7z-compressed", "application/x-tar", "application/x-bzip2", "application/x-xz",
    "application/vnd.oasis.opendocument.*", "application/vnd.openxmlformats-officedocument.*",
]  # fmt: skip
ATTACHMENT_RETENTION_DAYS: int = _int("ATTACHMENT_RETENTION_DAYS", 0)
FILES_ACCEL_PREFIX: str = _env.str("FILES_ACCEL_PREFIX", "")
REGISTRATION: str = _env.str("REGISTRATION", "open")
RATE_LIMITS: str = _env.str("RATE_LIMITS", "on")
DEFAULT_PROJECT: str = _env.str("DEFAULT_PROJECT", "")
LOG_LEVEL: str = _env.str("LOG_LEVEL", "INFO")
