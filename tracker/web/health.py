"""Probes: `/health/live` says that the process answers, `/health/ready` that it can work."""

import json
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any, Final

import redis
import structlog
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from tracker import clock
from tracker.models import Event
from tracker.redis import client

log = structlog.get_logger(__name__)

SOCKETS_TIMEOUT_SECONDS: Final = 1.0
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
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200, and whether this process has sockets."""
    return JsonResponse({"status": "ok", "sockets": isinstance(request, ASGIRequest)})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200, or 503 naming what is missing."""
    missing = _missing(has_sockets=isinstance(request, ASGIRequest))
    if missing:
        log.warning("not_ready", missing=missing)
        return JsonResponse(
            {"status": "unavailable", "missing": missing}, status=503, headers={"Retry-After": "5"}
        )
    return JsonResponse({"status": "ok", "missing": []})


def _missing(*, has_sockets: bool) -> list[str]:
    missing = _missing_of_database()
    if settings.REDIS_URL and not _does_redis_answer():
        missing.append("redis")
    if settings.REDIS_URL and not has_sockets and not _do_sockets_answer():
        missing.append("sockets")
    return missing


def _missing_of_database() -> list[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not migrations.are_applied():
            return ["migrations"]
        return [] if _is_numbering_well() else ["numbering"]
    except DatabaseError:
        return ["database"]


def _does_redis_answer() -> bool:
    """Ask, also while everybody else keeps away from it."""
    try:
        with client() as connected:
            return bool(connected.ping())
    except (redis.RedisError, OSError):
        return False


def _do_sockets_answer() -> bool:
    """Ask the server of the sockets, which is another process than one that asks."""
    request = urllib.request.Request(f"{settings.SOCKETS_URL}/health/live")  # noqa: S310  an operator's address
    try:
        with _direct.open(request, timeout=SOCKETS_TIMEOUT_SECONDS) as reply:
            answer: Any = json.load(reply)
    except (urllib.error.URLError, OSError, ValueError):
        return False
    return isinstance(answer, dict) and answer.get("sockets") is True


_direct: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _is_numbering_well() -> bool:
    overdue = Event.objects.filter(seq__isnull=True, recorded_at__lt=clock.now() - NUMBERING_PATIENCE)
    return not overdue.exists()
