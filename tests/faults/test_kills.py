"""`kill -9` of what answers, and a PostgreSQL that goes away, under load: whole or not at all."""

import os
import random
import time
from typing import Final

import httpx
import psycopg
import pytest

from tests.faults.load import Load
from tests.faults.log import check_whole
from tests.faults.site import Site

pytestmark = [pytest.mark.faults]

KILLS: Final = int(os.environ.get("FAULT_KILLS", "8"))
RESTARTS: Final = 2


def test_a_web_process_killed_at_random_points_leaves_whole_changes_and_one_issue_a_key(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each create and each step carries an idempotency key and is sent again until it is acknowledged."""
    chance = random.Random(7)
    killed = 0
    with Load(site.client, pause_seconds=0) as load:
        while killed < KILLS:
            time.sleep(chance.uniform(0.3, 0.8))
            killed += site.kill("granian", chance)

    settle(site)
    versions = check_whole(site.postgres.url)
    assert sorted(versions) == sorted(load.created.values())  # one issue for each key, none beside
    assert versions == {key: 1 + load.steps[key] for key in versions}
    with capsys.disabled():
        print(f"\n{killed} kills, {len(versions)} issues, answers {dict(load.statuses)}")  # noqa: T201  to read


def test_postgres_restarted_under_load_loses_no_acknowledged_write(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    with Load(site.client, pause_seconds=0.02) as load:
        for _ in range(RESTARTS):
            time.sleep(1.5)
            site.postgres.restart()
        time.sleep(1.5)

    assert set(load.statuses) <= {0, 200, 201, 409, 503}, load.statuses
    settle(site)
    versions = check_whole(site.postgres.url)
    for key in load.created.values():
        assert versions[key] == 1 + load.steps[key]
    with site.client() as client:
        assert all(client.get("/issues").status_code == 200 for _ in range(20))  # and no error is left over
    with capsys.disabled():
        print(f"\n{RESTARTS} restarts, {len(load.created)} issues, answers {dict(load.statuses)}")  # noqa: T201


def test_an_answer_while_postgres_is_away_is_503_and_says_when_to_come_again(site: Site) -> None:
    site.postgres.stop("immediate")
    try:
        with site.client() as client:
            for _ in range(4):  # of both workers
                answer = client.get("/issues")
                assert (answer.status_code, answer.json()["error"]) == (503, "E_UNAVAILABLE")
                assert answer.headers["Retry-After"]
        assert httpx.get(f"{site.base_url}/health/live").status_code == 200
        assert httpx.get(f"{site.base_url}/health/ready").status_code == 503
    finally:
        site.postgres.start()
    with site.client() as client:
        assert {client.get("/issues").status_code for _ in range(10)} == {200}


def test_a_row_that_somebody_holds_too_long_is_503_and_changes_nothing(site: Site) -> None:
    with site.client() as client, psycopg.connect(site.postgres.url) as holder:
        key = client.post("/issues", json={"project": "FAULT", "title": "held"}).json()["key"]
        holder.execute("SELECT 1 FROM issues_issue WHERE title = 'held' FOR UPDATE")
        answer = client.patch(f"/issues/{key}", json={"title": "other"})
        assert (answer.status_code, answer.json()["error"]) == (503, "E_UNAVAILABLE")
        holder.rollback()
        assert client.get(f"/issues/{key}").json()["title"] == "held"


def settle(site: Site) -> None:
    """Wait until the events that a crash left have their numbers; the poller looks every second."""
    deadline = time.monotonic() + 30
    with psycopg.connect(site.postgres.url, autocommit=True) as connection:
        while connection.execute("SELECT 1 FROM tracker_event WHERE seq IS NULL LIMIT 1").fetchone():
            assert time.monotonic() < deadline, "events stay without a number"
            time.sleep(0.1)
