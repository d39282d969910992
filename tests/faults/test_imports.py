"""An import whose worker is killed in the middle, and whose hints are lost: every row once."""

import time
from typing import Any, Final

import httpx
import pytest

from tests.faults.log import check_whole, read
from tests.faults.site import Site
from tests.faults.test_kills import settle

pytestmark = [pytest.mark.faults]

ROWS: Final = 5_000
TAKEN_UP_SECONDS: Final = 60.0
OVER_SECONDS: Final = 240.0
_TITLES: Final = "SELECT external_id, title FROM issues_issue"
_ARRIVALS: Final = (
    "SELECT count(*), count(DISTINCT issue_id) FROM tracker_event WHERE verb = 'issue.imported'"
)
_PARENTS: Final = (
    "SELECT i.external_id, p.external_id FROM issues_issue i JOIN issues_issue p ON p.id = i.parent_id"
)


def test_an_import_whose_worker_is_killed_and_whose_hints_are_lost_ends_with_every_row_once(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    titles = {f"K-{n}": f"Row {n}, with a comma" for n in range(1, ROWS + 1)}
    parents = {f"K-{n}": f"K-{n - 1}" for n in range(10, ROWS + 1, 10)}
    lines = [f'{key},"{title}",{parents.get(key, "")}' for key, title in titles.items()]
    table = "\n".join(["key,title,parent", *lines, ""])
    with site.client() as client:
        path = begin(client, table)
        wait_for(client, path, lambda run: run["progress"]["done"] > 0)
        site.kill_workers()
        site.redis.empty()
        killed_at = time.monotonic()
        left = client.get(path).json()
        assert left["progress"]["done"] < ROWS, "it was over before it could be killed"

        wait_for(client, path, lambda run: run["progress"]["done"] > left["progress"]["done"])
        pause = time.monotonic() - killed_at
        run = wait_for(client, path, lambda run: run["state"] not in {"queued", "running"})

    assert (run["state"], run["progress"]) == ("done", {"done": ROWS, "total": ROWS}), run
    assert (run["created"], run["updated"], run["unchanged"], run["failed"]) == (ROWS, 0, 0, 0)
    settle(site)
    assert len(check_whole(site.postgres.url)) == ROWS
    found, arrivals, linked = read(site.postgres.url, _TITLES, _ARRIVALS, _PARENTS)
    assert sorted(found) == sorted(titles.items())
    assert arrivals == [(ROWS, ROWS)]
    assert sorted(linked) == sorted(parents.items())
    assert pause < TAKEN_UP_SECONDS
    with capsys.disabled():
        print(f"\nkilled after {left['progress']['done']} rows, taken up again after {pause:.1f} s")  # noqa: T201


def begin(client: httpx.Client, table: str) -> str:
    """Send a file; return where its run is."""
    answer = client.post("/issues/import", files={"file": ("rows.csv", table)}, data={"project": "FAULT"})
    assert answer.status_code == 202, answer.text
    return f"/imports/{answer.json()['id']}"


def wait_for(client: httpx.Client, path: str, is_so: Any) -> dict[str, Any]:
    """Ask for a run until something is true of it."""
    deadline = time.monotonic() + OVER_SECONDS
    while not is_so(run := client.get(path).json()):
        assert time.monotonic() < deadline, run
        time.sleep(0.05)
    return dict(run)
