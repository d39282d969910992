"""How tests talk to the API."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

ISSUES: Final = "/api/v1/issues"
COMMENTS: Final = "/api/v1/comments"
_CONTROL: Final = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT")


def send(client: Client, method: str, path: str, data: Any = None, **headers: str) -> Any:
    """Send JSON and return the reply; `If_Match` stands for the header `If-Match`."""
    body = {} if data is None else {"data": json.dumps(data), "content_type": "application/json"}
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return getattr(client, method)(path, headers=named, **body)


@contextmanager
def queries() -> Iterator[list[str]]:
    """Give a list that holds, at the end, the statements that are not transaction control."""
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(_CONTROL)]
