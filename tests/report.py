"""A pytest plugin: counts what ran for each service, for the closing line of `make test`."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

SERVICES = ("postgres", "redis", "browser", "faults")
_passed: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count each test that passed, once for all and once for each service that it is marked with."""
    if report.when == "call" and report.passed:
        _passed.update(["all", *(name for name in SERVICES if name in report.keywords)])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the counts where `tests.run` asked for them; the workers' reports have come to the controller."""
    target = os.environ.get("TEST_REPORT", "")
    if target and not hasattr(session.config, "workerinput"):
        Path(target).write_text(json.dumps(_passed))
