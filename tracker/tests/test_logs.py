"""Logs are lines that a program can read, and hold no secret."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings

from tracker import logs

CANARY = "canary-9f31c5"


class Written:
    """What was written to standard error since the test began."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self._text = ""

    def getvalue(self) -> str:
        """Return all of it."""
        self._text += self._capture.readouterr().err
        return self._text


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Written]:
    """What a production process writes, as text."""
    logs.configure({"level": "INFO", "json": True})
    yield Written(capsys)
    logs.configure(settings.LOGGING)


def test_a_record_is_one_line_of_json_with_what_the_request_bound(lines: Written) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        logging.getLogger("tracker.some").info("done in %d ms", 12)
        structlog.get_logger("tracker.other").warning("slow", ms=900)

    first, second = map(json.loads, lines.getvalue().splitlines())
    assert first["event"] == "done in 12 ms"
    assert first["level"] == "info"
    assert first["request_id"] == second["request_id"] == "r-1"
    assert second["ms"] == 900


@pytest.mark.parametrize(
    "fields",
    [
        {"password": CANARY},
        {"Authorization": f"Bearer {CANARY}"},
        {"headers": {"Cookie": f"sessionid={CANARY}"}},
        {"body": [{"refresh_token": CANARY}]},
        {"ticket": CANARY},
        {"url": f"/ws/?token={CANARY}"},
        {"dsn": f"postgres://me:{CANARY}@db/tracker"},
    ],
)
def test_a_secret_in_a_field_is_removed(lines: Written, fields: dict[str, Any]) -> None:
    structlog.get_logger("tracker").info("something", **fields)

    assert "something" in lines.getvalue()
    assert CANARY not in lines.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        f"GET /ws/?ticket={CANARY}&x=1",
        f"sent Authorization: Bearer {CANARY}",
        f"{{'password': '{CANARY}', 'email': 'a@example.com'}}",
        f"redis://:{CANARY}@127.0.0.1:6379/0 is away",
        f"access_token={CANARY}",
        f"GET /setup/setup_{CANARY}-and-some-more-characters/ 200",
    ],
)
def test_a_secret_in_a_message_is_removed(lines: Written, text: str) -> None:
    logging.getLogger("somebody.else").error("%s", text)

    assert CANARY not in lines.getvalue()
    assert logs.REMOVED in lines.getvalue()


def test_a_secret_in_a_traceback_is_removed(lines: Written) -> None:
    try:
        int(f"token={CANARY}")
    except ValueError:
        logging.getLogger("tracker").exception("failed")

    assert "ValueError" in lines.getvalue()
    assert CANARY not in lines.getvalue()


def test_text_that_only_mentions_such_words_stays() -> None:
    assert logs.clean_text("the password was changed by its owner") == "the password was changed by its owner"


def test_the_log_goes_to_standard_error_only(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure(settings.LOGGING)
    logging.getLogger("tracker").warning("look here")

    captured = capfd.readouterr()
    assert captured.out == ""
    assert "look here" in captured.err
