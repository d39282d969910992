"""The floors: what PostgreSQL alone gives for the same SQL, prepared, by pgbench."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

CLIENTS: Final = 16
_RATE: Final = re.compile(r"tps = ([\d.]+)")
# What filing an issue cannot do without: the number, which serialises commits, the row, its event.
_COUNTER: Final = """\
BEGIN;
UPDATE issues_project SET next_number = next_number + 1 WHERE id = '{project_id}' RETURNING next_number \\gset
INSERT INTO issues_issue ({columns}) SELECT {values} FROM issues_issue WHERE id = '{issue_id}';
INSERT INTO tracker_event (id, verb, at, recorded_at, source, request_id, project_id, issue_key, internal,
  changes, data) VALUES (gen_random_uuid(), 'issue.created', now(), now(), 'api', '', '{project_id}', '',
  false, '{{}}', '{{}}');
COMMIT;
"""


def own_sql(asked: list[str]) -> str:
    """Return the query of issues among the queries of a request."""
    return next(text for text in asked if 'FROM "issues_issue"' in text and '"issues_issue"."title"' in text)


def counter_sql(facts: dict[str, Any]) -> str:
    """Return the transaction of the counter row, with a copy of an issue."""
    changed = {"id": "gen_random_uuid()", "number": ":next_number + 10000000", "external_id": "NULL"}
    values = [changed.get(name, f'"{name}"') for name in facts["columns"]]
    return _COUNTER.format(
        project_id=facts["project_id"],
        issue_id=facts["issue_id"],
        columns=", ".join(f'"{name}"' for name in facts["columns"]),
        values=", ".join(values),
    )


def run_pgbench(database_url: str, script: str, *, folder: Path, seconds: int) -> float:
    """Return how many times a second the script runs with 16 clients."""
    path = folder / "floor.sql"
    path.write_text(
        script.rstrip().rstrip(";").replace("\n", " ") + ";\n" if "BEGIN" not in script else script
    )
    url = urlsplit(database_url)
    command = ["pgbench", "-n", "-M", "prepared", f"-c{CLIENTS}", "-j1", f"-T{seconds}", "-f", str(path)]
    command += [
        "-h",
        url.hostname or "127.0.0.1",
        "-p",
        str(url.port or 5432),
        "-U",
        url.username or "postgres",
    ]
    command.append(url.path.strip("/"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  ours
    found = _RATE.search(done.stdout)
    if done.returncode or found is None:
        raise RuntimeError(done.stdout + done.stderr)
    return float(found[1])
