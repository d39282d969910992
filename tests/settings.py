"""The product's settings as the tests want them: nothing from this machine's environment or `.env`.

On SQLite by default; on PostgreSQL and Redis where `TEST_DATABASE_URL` and `TEST_REDIS_URL` are set,
as `make test` does for its second run. Data goes to a directory that goes away with the process.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests.checkout import CHECKOUT

_OPERATORS = (
    "ACCESS_TOKEN_MINUTES ALLOWED_HOSTS ATTACHMENT_RETENTION_DAYS BASE_URL CORS_ALLOWED_ORIGINS DATABASE_URL "
    "DEBUG DEFAULT_PROJECT FILES_ACCEL_PREFIX HTTP_THREADS HTTP_WORKERS JWT_PRIVATE_KEY_FILE JWT_SIGNING_KEY "
    "LIVE_URL LOG_LEVEL MAX_IMPORT_MIB MAX_UPLOAD_MIB PORT RATE_LIMITS REDIS_URL REFRESH_TOKEN_DAYS "
    "REGISTRATION SECRET_KEY SOCKETS_URL SOCKET_PROCESSES STATEMENT_TIMEOUT_SECONDS TASK_PROCESSES "
    "TRUSTED_PROXIES UPLOAD_TYPES WS_PORT"
)
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")


def _data_dir() -> Path:
    """Return this process's directory: its own, or a worker's part of the one that pytest made."""
    if _WORKER and "TEST_DATA_DIR" in os.environ:
        return Path(os.environ["TEST_DATA_DIR"]) / _WORKER
    path = Path(tempfile.mkdtemp(prefix="tracker-tests-"))
    os.environ["TEST_DATA_DIR"] = str(path)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


for _name in _OPERATORS.split():
    os.environ.pop(_name, None)
os.environ["TRACKER_ENV"] = "test"
os.environ["DATA_DIR"] = str(_data_dir())
os.environ["SECRET_KEY"] = "only for tests, never signs anything that leaves them"
os.environ["JWT_SIGNING_KEY"] = "only for tests too, and not the same as the other one"
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ["REDIS_URL"] = os.environ.get("TEST_REDIS_URL", "")

from tracker.settings import *  # noqa: E402, F403  after the environment is as it should be
from tracker.settings import CHANNEL_LAYERS, DATA_DIR, DATABASES, IS_POSTGRES, REDIS_URL, STORAGES  # noqa: E402

# One database for each run of each checkout, so that none disturbs another. pytest-django adds the worker.
RUN = f"{CHECKOUT}_{os.environ.setdefault('TEST_RUN', str(os.getpid()))}"
if IS_POSTGRES:
    DATABASES["default"]["TEST"] = {"NAME": f"test_tracker_{RUN}"}
else:
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    # Nobody needs these files after a power cut.
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
if REDIS_URL:
    CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] = f"test-{RUN}-{_WORKER}"
    CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"test-{RUN}-{_WORKER}-"}  # type: ignore[dict-item]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
RATE_LIMITS = "off"
SHARES_COUNTERS = False  # what one test counted would meet the next; there is a test that exchanges by itself
STORAGES = {
    "default": STORAGES["default"],
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
