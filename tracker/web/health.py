"""Probes: `/health/live` says that the process answers, `/health/ready` that it can work."""

from datetime import timedelta
from typing import Final

import structlog
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from tracker import clock
from tracker.models import Event

log = structlog.get_logger(__name__)

NUMBERING_PATIENCE: Final = timedelta(seconds=30)
"""How old an event without a number may be; the sweeper comes about once a second."""


class _Migrations:
    """Remembers that the database is up to date, which it stays for the life of a process."""

    def __init__(self) -> None:
        self._are_applied = False

    def are_applied(self) -> bool:
        """Whether nothing is left to migrate."""
        if not self._are_applied:
            executor = MigrationExecutor(connection)
            self._are_applied = not executor.migration_plan(executor.loader.graph.leaf_nodes())
        return self._are_applied


migrations = _Migrations()


@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """Answer 200."""
    return JsonResponse({"status": "ok"})


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200, or 503 naming what is missing."""
    missing = _missing()
    if missing:
        log.warning("not_ready", missing=missing)
        return JsonResponse(
            {"status": "unavailable", "missing": missing}, status=503, headers={"Retry-After": "5"}
        )
    return JsonResponse({"status": "ok", "missing": []})


def _missing() -> list[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return ["database"]
    try:
        if not migrations.are_applied():
            return ["migrations"]
        return [] if _is_numbering_well() else ["numbering"]
    except DatabaseError:
        return ["database"]


def _is_numbering_well() -> bool:
    overdue = Event.objects.filter(seq__isnull=True, recorded_at__lt=clock.now() - NUMBERING_PATIENCE)
    return not overdue.exists()
