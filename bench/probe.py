"""`python -m bench.probe`: what the measurement needs to know of a filled database, as JSON.

Who signs in, what is asked for, and for each work the queries of one request, whose SQL becomes the floor.
"""

import json
import sys
from typing import Any, Final

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.services.sessions import start_family  # noqa: E402
from accounts.session_engine import SessionStore  # noqa: E402
from bench.frame import Frame, read_frame  # noqa: E402
from bench.works import WORKS, Work  # noqa: E402
from issues.models import Issue  # noqa: E402
from tracker.server.static import collect_static_files  # noqa: E402

SAMPLE: Final = 2_000
_NOT_COUNTED: Final = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")


def main() -> None:
    """Print the facts."""
    collect_static_files()  # pages name them
    sys.stdout.write(json.dumps(facts_of(read_frame())))


def facts_of(frame: Frame) -> dict[str, Any]:
    """Return who asks for what, and what each work costs."""
    maintainer = next(user for user in frame.people if user.role == "maintainer")
    listeners = [user for user in frame.people if user.role != "reporter"]
    place = frame.projects[0]
    of_place = Issue.objects.filter(project=place, trashed_at__isnull=True)
    facts: dict[str, Any] = {
        "token": start_family(maintainer).access,
        "session": _session_of(maintainer),
        "listeners": [start_family(user).access for user in listeners],
        "keys": _keys(of_place.order_by("?")[:SAMPLE], place.key),
        "waiting": _keys(of_place.filter(status__slug="backlog").order_by("?")[:SAMPLE], place.key),
        "project": place.key,
        "assignee": str(frame.people[2].pk),
    }
    facts["costs"] = {work.name: _cost(work, facts) for work in WORKS}
    facts["project_id"], facts["issue_id"] = str(place.pk), str(of_place.values_list("pk", flat=True)[0])
    facts["columns"] = [field.column for field in Issue._meta.concrete_fields]
    return facts


def _keys(issues: Any, key: str) -> list[str]:
    return [f"{key}-{number}" for number in issues.values_list("number", flat=True)]


def _session_of(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def _cost(work: Work, facts: dict[str, Any]) -> dict[str, Any]:
    """Return how many queries a request costs when the caches are warm, its size, and its SQL."""
    client = Client(headers=work.headers(facts))
    for turn in range(2):
        with CaptureQueriesContext(connection) as captured:
            reply = client.generic(
                work.method, work.path(facts), work.body(facts, turn=turn), content_type="application/json"
            )
    if reply.status_code >= 300:
        raise SystemExit(f"{work.name}: {reply.status_code} {reply.content[:300]!r}")
    asked = [each["sql"] for each in captured if not each["sql"].startswith(_NOT_COUNTED)]
    return {"queries": len(asked), "bytes": len(reply.content), "sql": asked}


if __name__ == "__main__":
    main()
