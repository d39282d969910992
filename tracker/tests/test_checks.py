"""A setting that cannot be right is refused before anything starts, in one sentence."""

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks

from accounts.models import Role
from tests.make import make_user
from tests.served import manage
from tracker import checks, env

GOOD_SECRET = "a-secret-that-is-long-enough-to-be-one"


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A production process in which everything is right."""
    monkeypatch.setattr(env, "TRACKER_ENV", "production")
    monkeypatch.setattr(env, "IS_PRODUCTION", True)
    monkeypatch.setattr(env, "HAS_OWN_SECRET_KEY", True)
    monkeypatch.setattr(env, "HAS_OWN_JWT_KEY", True)
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["tracker.example.com"]


def ids(found: list[CheckMessage]) -> list[str | None]:
    """The numbers of what was found; each is one sentence."""
    assert all(str(message.msg).count(". ") == 0 for message in found)
    return [message.id for message in found]


@pytest.mark.usefixtures("production")
def test_a_right_production_process_has_no_fault() -> None:
    found = [*checks.check_production(None), *checks.check_keys(None), *checks.check_settings(None)]

    assert ids(found) == []


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("HAS_OWN_SECRET_KEY", False, "tracker.E004"),
        ("HAS_OWN_JWT_KEY", False, "tracker.E005"),
        ("RATE_LIMITS", "off", "tracker.E006"),
    ],
)
def test_production_refuses(monkeypatch: pytest.MonkeyPatch, name: str, value: object, number: str) -> None:
    monkeypatch.setattr(env, name, value)

    assert ids(checks.check_production(None)) == [number]


@pytest.mark.usefixtures("production")
def test_production_refuses_debug_and_every_host(settings: Any) -> None:
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["*"]

    assert ids(checks.check_production(None)) == ["tracker.E002", "tracker.E003"]


def test_a_local_process_may_use_generated_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "TRACKER_ENV", "local")
    monkeypatch.setattr(env, "HAS_OWN_SECRET_KEY", False)

    assert checks.check_production(None) == []


def test_an_unknown_kind_of_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "TRACKER_ENV", "prod")

    assert ids(checks.check_production(None)) == ["tracker.E001"]


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("SECRET_KEY", "short", "tracker.E010"),
        ("JWT_SIGNING_KEY", "short", "tracker.E011"),
        ("JWT_SIGNING_KEY", GOOD_SECRET, "tracker.E012"),
        ("JWT_PRIVATE_KEY_FILE", "/nowhere/key.pem", "tracker.E013"),
        ("JWT_PRIVATE_KEY_FILE", __file__, "tracker.E014"),
    ],
)
def test_a_bad_key_is_refused(settings: Any, name: str, value: str, number: str) -> None:
    settings.SECRET_KEY = GOOD_SECRET
    setattr(settings, name, value)

    assert ids(checks.check_keys(None)) == [number]


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("REGISTRATION", "closed", "tracker.E022"),
        ("RATE_LIMITS", "some", "tracker.E023"),
    ],
)
def test_a_value_that_means_nothing_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, number: str
) -> None:
    monkeypatch.setattr(env, name, value)

    assert ids(checks.check_settings(None)) == [number]


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("PORT", 70_000, "tracker.E050"),
        ("WS_PORT", -1, "tracker.E050"),
        ("WS_PORT", env.PORT, "tracker.E051"),
        ("HTTP_WORKERS", 0, "tracker.E052"),
        ("HTTP_THREADS", 1_000, "tracker.E052"),
        ("TRUSTED_PROXIES", ["10.0.0.0/8", "proxy.example.org"], "tracker.E053"),
    ],
)
def test_a_server_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object, number: str
) -> None:
    monkeypatch.setattr(env, "PORT", 8000)
    monkeypatch.setattr(env, "WS_PORT", 8001)
    monkeypatch.setattr(env, name, 8000 if number == "tracker.E051" else value)

    assert ids(checks.check_servers(None)) == [number]


def test_a_live_url_without_a_scheme_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "LIVE_URL", "live.example.org")

    assert ids(checks.check_settings(None)) == ["tracker.E025"]


def test_redis_without_a_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(env, "REDIS_URL", "redis://127.0.0.1/0")
    monkeypatch.setattr(env, "DATABASE_URL", "")

    assert ids(checks.check_settings(None)) == ["tracker.E020"]


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.IS_POSTGRES = False
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 34, 1))

    assert "tracker.E040" in ids(checks.check_database(None))


@pytest.mark.django_db
@pytest.mark.usefixtures("production")
def test_sample_accounts_are_refused_in_production() -> None:
    make_user(Role.ADMIN, email="admin@example.com")

    found = run_checks(tags=["database"], databases=["default"])

    assert "tracker.E041" in ids(found)
    assert "admin@example.com" in str(found)


@pytest.mark.django_db
def test_sample_accounts_are_welcome_elsewhere() -> None:
    make_user(Role.ADMIN, email="admin@example.com")

    assert run_checks(tags=["database"], databases=["default"]) == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eight", "PORT is 'eight'; it is a whole number."),
        ("DATABASE_URL", "nonsense", "DATABASE_URL does not begin with postgres:// or sqlite:///."),
        ("REDIS_URL", "redis://127.0.0.1", "REDIS_URL is set without DATABASE_URL; set both, or neither."),
    ],
)
def test_manage_says_what_is_wrong_with_a_setting(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    outcome = manage(tmp_path, "check", **{name: value})

    assert outcome.returncode != 0
    assert sentence in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    manage(tmp_path, "check")
    secret = (tmp_path / "secret_key").read_text()
    manage(tmp_path, "check")

    assert len(secret) >= 32
    assert (tmp_path / "secret_key").read_text() == secret
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.iterdir()} >= {"secret_key", "jwt_signing_key"}


def test_a_deployment_over_https_has_nothing_to_warn_of(tmp_path: Path) -> None:
    outcome = manage(
        tmp_path,
        "check",
        "--deploy",
        "--fail-level",
        "WARNING",
        TRACKER_ENV="production",
        SECRET_KEY="x1y2z3w4v5" * 6,
        JWT_SIGNING_KEY=GOOD_SECRET,
        BASE_URL="https://tracker.example.com",
        ALLOWED_HOSTS="tracker.example.com",
    )

    assert outcome.returncode == 0, outcome.stderr


def test_a_deployment_without_https_is_warned(settings: Any) -> None:
    settings.BASE_URL = "http://tracker.example.com"

    assert ids(checks.check_deployment(None)) == ["tracker.W030"]
