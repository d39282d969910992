"""`manage.py serve`: the whole product in one process."""

import socket
import threading
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import ERROR, CheckMessage, Tags, run_checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from accounts.services.setup import make_setup_token
from issues.live.lifecycle import start_live, stop_live
from tracker import env
from tracker.celery import app as celery_app
from tracker.server.background import Background
from tracker.server.database import pool_connections
from tracker.server.server import ProductServer
from tracker.server.static import collect_static_files

BACKLOG: Final = 1024


class Command(BaseCommand):
    """Serves pages, the API and sockets, and runs the tasks, until Ctrl-C or SIGTERM."""

    help = "Serve the whole product in one process: pages, API, sockets, a task worker and a beat."
    requires_system_checks: list[str] = []  # noqa: RUF012  they run below, and are said in one sentence each

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=env.PORT, help="port to listen on (PORT, or 8000)")
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *, host: str, port: int, migrate: bool, **_: Any) -> None:
        """Check, listen, work, and end in order."""
        self._refuse(run_checks())
        pool_connections()
        if self._has_old_schema():
            if not migrate:
                raise CommandError("The database is not up to date; run: python manage.py migrate")
            call_command("migrate", verbosity=0)
        self._refuse(run_checks(tags=[Tags.database], databases=["default"]))
        listener = self._listen(host, port)
        collect_static_files()

        from tracker.asgi import application  # it reads the static files when it is made

        background = Background(celery_app)
        server = ProductServer(application, listener, ready=lambda: self._announce(host, port))
        background.start()
        start_live()
        try:
            server.run()
        finally:
            stop_live()
            background.stop()
            connections.close_all()
        self.stdout.write("Stopped.")

    def _refuse(self, found: Sequence[CheckMessage]) -> None:
        faults = [str(message.msg) for message in found if message.level >= ERROR]
        if faults:
            raise CommandError("\n".join(faults))

    def _has_old_schema(self) -> bool:
        executor = MigrationExecutor(connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

    def _listen(self, host: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), port))
            listener.listen(BACKLOG)
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}:{port}: {error.strerror}. Set PORT to another."
            ) from error
        listener.setblocking(False)  # noqa: FBT003
        return listener

    def _announce(self, host: str, port: int) -> None:
        self.stdout.write(f"Serving on http://{host}:{port}/ (Ctrl-C ends it).")
        # Django refuses database work in the thread of the event loop.
        threading.Thread(target=self._offer_set_up, name="set-up-link").start()

    def _offer_set_up(self) -> None:
        try:
            if token := make_setup_token():
                self.stdout.write(f"Nobody has an account yet. Begin at {settings.BASE_URL}/setup/{token}/")
            self.stdout.flush()
        finally:
            connections.close_all()
