"""What the loader writes is what the services write, row by row and event by event."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from accounts.models import User
from bench.frame import Frame, make_frame, perform
from bench.load import load
from bench.plan import filings
from issues.models import Comment, Issue, Project
from tracker.events.numbering import number_events
from tracker.models import CacheVersion, Event, EventLog

COUNT = 200
APPS = ("tracker", "accounts", "issues", "dashboard", "transfer")
NEVER_EQUAL = {"recorded_at", "log_id", "sign_in_stamp", "password"}
Rows = dict[str, list[dict[str, Any]]]


@pytest.fixture
def frame(db: Any) -> Frame:
    return make_frame()


def rows_after(fill: Callable[[], Any]) -> Rows:
    """Everything in the database after `fill`, which is then undone; ids as names."""
    with transaction.atomic():
        fill()
        found = everything()
        transaction.set_rollback(True)
    return found


def everything() -> Rows:
    names = dict(named())
    tables = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    found = {
        model.__name__: list(model._base_manager.values()) for model in tables if model is not CacheVersion
    }
    found["full text"] = full_text()
    return {name: sorted((plain(row, names) for row in rows), key=str) for name, rows in found.items()}


def full_text() -> list[dict[str, Any]]:
    """What the search knows beside its model."""
    is_postgres = connection.vendor == "postgresql"
    texts = "vector::text" if is_postgres else "t.title, t.description, t.comments, t.internal"
    joined = "" if is_postgres else "JOIN issues_searchtext t ON t.rowid = d.id"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT issue_id, {texts} FROM issues_searchdocument d {joined}")
        return [{"issue": uuid.UUID(str(row[0])), "texts": list(row[1:])} for row in cursor.fetchall()]


def named() -> Iterator[tuple[uuid.UUID, str]]:
    """The id of each thing with a name that is the same however it was made."""
    yield from ((user.pk, user.email) for user in User.objects.all())
    for issue in Issue.objects.select_related("project"):
        yield issue.pk, f"{issue.project.key}-{issue.number}"
    for comment in Comment.objects.select_related("issue__project"):
        yield (
            comment.pk,
            f"comment on {comment.issue.project.key}-{comment.issue.number} at {comment.created_at}",
        )


def plain(row: dict[str, Any], names: dict[uuid.UUID, str]) -> dict[str, Any]:
    """A row without what is never equal: times of recording, and ids that nothing else names."""
    found = {name: told(value, names) for name, value in row.items() if name not in NEVER_EQUAL}
    if "id" in row and row["id"] not in names:
        del found["id"]
    if "order" in row:
        found["order"] = row["order"] - first_order()
    return found


def first_order() -> int:
    return int(
        Event.objects.filter(verb="issue.created").order_by("order").values_list("order", flat=True)[0]
    )


def told(value: Any, names: dict[uuid.UUID, str]) -> Any:
    if isinstance(value, dict):
        return {key: told(item, names) for key, item in sorted(value.items())}
    if isinstance(value, list):
        return [told(item, names) for item in value]
    if isinstance(value, str) and len(value) == 36:
        return names.get(as_uuid(value), value)
    if isinstance(value, uuid.UUID):
        return names.get(value, str(value))
    return value


def as_uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def by_services(frame: Frame) -> None:
    for filing in filings(COUNT):
        perform(filing, frame)
    number_events()


@pytest.mark.slow
def test_the_loader_leaves_the_rows_that_the_services_leave(frame: Frame) -> None:
    number_events()
    expected = rows_after(lambda: by_services(frame))
    found = rows_after(lambda: load(filings(COUNT), frame))
    verbs = {row["verb"] for row in expected["Event"]}
    assert {
        "issue.created",
        "issue.updated",
        "issue.status_changed",
        "comment.added",
        "watcher.added",
    } <= verbs
    assert {row["internal"] for row in expected["Comment"]} == {True, False}
    assert {name: len(rows) for name, rows in found.items()} == {
        name: len(rows) for name, rows in expected.items()
    }
    for name, rows in expected.items():
        for row, other in zip(rows, found[name], strict=True):
            assert other == row, name


def test_what_was_loaded_can_be_worked_on(frame: Frame) -> None:
    """Numbers, orders and the head of the log go on where the loader stopped."""
    plan = list(filings(20))
    load(plan[:-1], frame)
    last = EventLog.objects.get().last_seq
    issue = perform(plan[-1], frame)
    number_events()
    assert issue.number == Issue.objects.filter(project=issue.project_id).count()
    assert Project.objects.get(pk=issue.project_id).next_number == issue.number + 1
    events = Event.objects.filter(issue_id=issue.pk).order_by("order").values_list("seq", flat=True)
    assert list(events) == list(range(last + 1, last + 1 + len(events)))
