"""Database connections of a process where each request runs in a thread of its own."""

from typing import Final

from django.conf import settings
from django.db import connections

MOST_CONNECTIONS: Final = 20
WAIT_SECONDS: Final = 10


def pool_connections() -> None:
    """Let requests share connections to PostgreSQL; call this before the first query.

    Under ASGI a request's thread ends with it: a connection kept in the thread would never be used
    again, and opening one for each request costs more than the request.
    """
    if not settings.IS_POSTGRES:
        return
    options = connections.settings["default"]
    options["CONN_MAX_AGE"] = 0
    options["CONN_HEALTH_CHECKS"] = True  # Django has the pool check what it gives out
    options["OPTIONS"] = {
        **options["OPTIONS"],
        "pool": {"min_size": 1, "max_size": MOST_CONNECTIONS, "timeout": 10},
    }
