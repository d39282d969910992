"""`manage.py serve_sockets`: sockets and the event stream by daphne; several may share a port."""

import resource
from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.db import connections

from issues.live.lifecycle import start_live, stop_live
from tracker import env
from tracker.server.database import pool_connections
from tracker.server.leave import leave
from tracker.server.server import ProductServer
from tracker.server.start import check_settings, listen

MOST_FILES: Final = 65_536


class Command(BaseCommand):
    """Serves sockets and the event stream until Ctrl-C or SIGTERM."""

    help = "Serve sockets and the event stream (full mode); start it once a core."
    requires_system_checks: list[str] = []  # noqa: RUF012  they run below, and are said in one sentence each

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=env.WS_PORT, help="port to listen on (WS_PORT)")

    def handle(self, *, host: str, port: int, **_: Any) -> None:
        """Check, listen, serve, and end in order."""
        check_settings()
        pool_connections()
        _allow_many_files()
        listener = listen(host, port, shared=True, setting="WS_PORT")

        from tracker.asgi import application  # models are ready only now

        server = ProductServer(application, listener, ready=lambda: None)
        start_live()
        try:
            server.run()
        finally:
            stop_live()
            connections.close_all()
        leave()


def _allow_many_files() -> None:
    """Raise the soft limit of open files, which is often 1,024: a socket is a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
