"""`manage.py serve`: the whole product in one process."""

import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connections

from accounts.services.setup import make_setup_token
from issues.live.lifecycle import start_live, stop_live
from tracker import env
from tracker.celery import app as celery_app
from tracker.server.background import Background
from tracker.server.database import pool_connections
from tracker.server.server import ProductServer
from tracker.server.start import check_database, check_settings, listen
from tracker.server.static import collect_static_files


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
        check_settings()
        pool_connections()
        check_database(migrate=migrate)
        listener = listen(host, port)
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
