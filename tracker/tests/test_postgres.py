"""A kept connection to PostgreSQL is looked at before it is used, without a word to the server."""

from typing import Any

import psycopg
import pytest
from django.db import connection

pytestmark = pytest.mark.postgres


def server_process() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def end_it(process: int) -> None:
    """End a connection from the server's side, as a restart does."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_lives_is_used_without_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    server_process()
    asked: list[Any] = []
    monkeypatch.setattr(type(connection.connection), "cursor", lambda *_: asked.append(1))
    assert connection.is_usable()
    assert not asked


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_opened_anew() -> None:
    before = server_process()
    end_it(before)
    assert not connection.is_usable()
    connection.errors_occurred = True  # what a failed query leaves, so that Django looks
    connection.close_if_unusable_or_obsolete()
    assert server_process() != before


@pytest.mark.django_db(transaction=True)
def test_a_closed_connection_is_not_used() -> None:
    server_process()
    connection.connection.close()
    assert not connection.is_usable()
    connection.close()
