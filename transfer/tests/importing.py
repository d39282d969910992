"""Imports by API as tests make them."""

import json
from io import StringIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from accounts.services.sessions import start_family

OWN_HEADERS = (
    "key,project,title,description,type,status,category,severity,priority,reporter,assignee,labels,milestone,"
    "cycle,parent,estimate,due_date,department,created_at,updated_at,started_at,closed_at,id"
)


def client_of(user: User) -> Client:
    """A client of the API with an access token of its own."""
    return Client(headers={"Authorization": f"Bearer {start_family(user).access}"})


def send(user: User, content: str | bytes, *, name: str = "issues.csv", **fields: Any) -> Any:
    """POST a file and return the answer."""
    raw = content.encode() if isinstance(content, str) else content
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return client_of(user).post("/api/v1/issues/import", {"file": SimpleUploadedFile(name, raw), **form})


def imported(user: User, content: str | bytes, **fields: Any) -> dict[str, Any]:
    """POST a file, let a worker do it, and return the run."""
    answer = send(user, content, **fields)
    assert answer.status_code == 202, answer.content
    call_command("sweep", stdout=StringIO())
    return run_of(user, answer.json()["id"])


def run_of(user: User, run_id: str) -> dict[str, Any]:
    """GET a run."""
    found: dict[str, Any] = client_of(user).get(f"/api/v1/imports/{run_id}").json()
    return found


def undo(user: User, run: dict[str, Any]) -> Any:
    """POST the undo of a run."""
    return client_of(user).post(f"/api/v1/imports/{run['id']}/undo")


def counts(run: dict[str, Any]) -> dict[str, int]:
    """What became of the rows."""
    return {name: run[name] for name in ("created", "updated", "unchanged", "failed")}
