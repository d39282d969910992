"""`manage.py serve_http`: pages and the API by granian, one process a core."""

import os
import sys
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import connections

from tracker import env
from tracker.server.start import check_settings

KILL_AFTER_SECONDS: Final = 3
IDLE_THREAD_SECONDS: Final = 600  # the longest: an ended thread would take its database connection along
APPLICATION: Final = "tracker.server.wsgi_worker:application"


class Command(BaseCommand):
    """Becomes granian, with the product's settings."""

    help = "Serve pages and the API (full mode); sockets are served by serve_sockets."
    requires_system_checks: list[str] = []  # noqa: RUF012  they run below, and are said in one sentence each

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=env.PORT, help="port to listen on (PORT, or 8000)")

    def handle(self, *, host: str, port: int, **_: Any) -> None:
        """Check, and hand this process over."""
        check_settings()
        connections.close_all()
        command = granian_command(host=host, port=port)
        os.execv(command[0], command)  # noqa: S606  our own interpreter


def granian_command(*, host: str, port: int) -> list[str]:
    """Return the command that serves HTTP."""
    return [
        sys.executable,
        "-m",
        "granian",
        *("--interface", "wsgi"),
        *("--host", host.strip("[]")),
        *("--port", str(port)),
        *("--workers", str(env.HTTP_WORKERS)),
        *("--blocking-threads", str(env.HTTP_THREADS)),
        *("--blocking-threads-idle-timeout", str(IDLE_THREAD_SECONDS)),
        *("--http", "1"),
        "--no-ws",
        "--respawn-failed-workers",
        *("--respawn-interval", "0.5"),
        *("--workers-kill-timeout", str(KILL_AFTER_SECONDS)),
        *("--log-level", "warning"),
        *("--working-dir", str(env.BASE_DIR)),
        APPLICATION,
    ]
