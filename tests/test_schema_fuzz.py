"""The schema is true: a fuzzer that follows it finds no 5xx and no undocumented status.

A few cases for each operation each time. `FUZZ_EXAMPLES=10` draws as many and adds those that it derives from
the schema, some thousands for each role: `FUZZ_EXAMPLES=10 pytest tests/test_schema_fuzz.py`.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes import ROOT, ServerProcess, environment, free_port

pytestmark = [pytest.mark.slow, pytest.mark.embedded]

EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "4")
PHASES = "examples,coverage,fuzzing" if "FUZZ_EXAMPLES" in os.environ else "fuzzing"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
PASSWORD = "fuzzing-is-a-long-word"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The product in embedded mode with an admin."""
    folder, port = tmp_path_factory.mktemp("fuzz"), free_port()
    env = environment(folder, port=port, RATE_LIMITS="off", ACCESS_TOKEN_MINUTES="60")
    for command in (["migrate", "-v0"], ["create_admin", "admin@example.org", "--password-from-stdin"]):
        subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=env, check=True, input=PASSWORD, text=True
        )
    server = ServerProcess(["manage.py", "serve"], port=port, env=env, log=folder / "serve.log")
    try:
        server.wait_until_it_listens()
        yield server
    finally:
        server.stop()


def sign_in(base_url: str, role: str) -> str:
    """Return a new access token for a role: another test's fuzzing may have ended older ones."""
    if role == "admin":
        path, body = "login", {"email": "admin@example.org", "password": PASSWORD}
    else:
        path, body = "register", {"email": "reporter@example.org", "password": PASSWORD, "name": "Rita"}
    answer = httpx.post(f"{base_url}/api/v1/auth/{path}", json=body, timeout=60)
    assert answer.is_success, answer.text
    return str(answer.json()["access"])


def known_names(base_url: str, token: str, *, project: str) -> dict[str, list[str]]:
    """Make a project and what belongs in it, as the caller may, and return what paths can name."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{base_url}/api/v1", headers=headers, timeout=60) as api:

        def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
            answer = api.post(path, json=body)
            assert answer.status_code in {201, 403, 409}, answer.text
            return answer.json() if answer.status_code == 201 else {}

        made("projects", {"key": project, "name": "Fuzz"})
        label = made(f"projects/{project}/labels", {"name": "regression"})
        milestone = made(f"projects/{project}/milestones", {"name": "M1"})
        team = made("teams", {"name": "Platform"})
        issues = [made("issues", {"project": project, "title": f"Issue {number}"}) for number in range(5)]
        comments = [made(f"issues/{issue['key']}/comments", {"body": "Yes."}) for issue in issues]
        me = api.get("auth/me").json()
    keys = [issue["key"] for issue in issues]
    known = {
        "key": [project],
        "/api/v1/issues/key/{key}/:key": keys,
        "ref": keys + [issue["id"] for issue in issues],
        "comment_id": [comment["id"] for comment in comments],
        "user_id": [me["id"]],
    }
    for name, thing in (("label_id", label), ("milestone_id", milestone), ("team_id", team)):
        known[name] = [thing["id"]] if thing else []
    return known


@pytest.mark.parametrize("role", ["admin", "reporter"])
def test_a_fuzzer_finds_no_failure_and_no_undocumented_answer(
    served: ServerProcess, role: str, tmp_path: Path
) -> None:
    token = sign_in(served.base_url, role)
    project = f"FOR{role.upper()}"  # of its own: what the other one archived stays archived
    if role == "reporter":
        known_names(served.base_url, sign_in(served.base_url, "admin"), project=project)
    known = known_names(served.base_url, token, project=project)
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{served.base_url}/api/schema/",
            "--header", f"Authorization: Bearer {token}",
            "--checks", CHECKS,
            "--phases", PHASES,
            "--max-examples", EXAMPLES,
            "--exclude-path", "/api/v1/events/stream/",  # it never ends
            "--continue-on-failure", "--suppress-health-check", "all", "--warnings", "off", "--seed", "20",
            "--generation-database", "none",
        ],
        cwd=tmp_path,
        env=os.environ | {
            "SCHEMATHESIS_HOOKS": "tests.fuzz_hooks", "PYTHONPATH": str(ROOT), "NO_COLOR": "1",
            "FUZZ_KNOWN": json.dumps(known),
        },
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    summary = run.stdout[-12_000:]
    assert run.returncode == 0, summary
    cases = re.search(r"([\d,]+) generated", run.stdout)
    assert cases, summary
    assert int(cases[1].replace(",", "")) >= 100, summary
