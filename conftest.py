"""What every test has: its database, its services, and a line that says what could not run."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).parent
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

pytest_plugins = [
    "tests.report",
    "tests.personas",
    "tests.flush",
    "tests.storage",
    "tests.served",
    "tests.chromium",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what this run has no service for, and say which one."""
    reasons = {
        "postgres": "" if settings.IS_POSTGRES else "needs PostgreSQL (TEST_DATABASE_URL)",
        "redis": "" if settings.REDIS_URL else "needs Redis (TEST_REDIS_URL)",
        "browser": "" if _chromium() else "needs Chromium",
    }
    for item in items:
        for marker, reason in reasons.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of the installed Chromium, for Playwright's `executable_path`."""
    return _chromium() or pytest.skip("needs Chromium")


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    """Empty the process's memory, and end the live reader where a test began it: its database goes away."""
    yield
    from django.core.cache import cache  # settings are ready only in a test

    from tracker.counters import counters

    cache.clear()
    counters.clear()
    if "issues.live.lifecycle" in sys.modules:
        sys.modules["issues.live.lifecycle"].stop_live()


def _chromium() -> str | None:
    return next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
