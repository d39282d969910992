"""`manage.py serve_full`: every process of full mode, supervised, without containers."""

import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from accounts.services.setup import make_setup_token
from tracker import env
from tracker.management.commands.serve_http import granian_command
from tracker.server.leave import leave
from tracker.server.start import check_database, check_settings, require_free
from tracker.server.static import collect_static_files
from tracker.server.supervision import Program, python, supervisor_command, write_configuration

ANNOUNCE_SECONDS: Final = 60
_CELERY: Final = ("-m", "celery", "--app", "tracker", "--quiet")


class Command(BaseCommand):
    """Serves the whole product by several processes until Ctrl-C or SIGTERM."""

    help = "Serve the whole product on PostgreSQL and Redis: HTTP, sockets, task workers and a beat."
    requires_system_checks: list[str] = []  # noqa: RUF012  they run below, and are said in one sentence each

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    def handle(self, *, host: str, migrate: bool, **_: Any) -> None:
        """Check, start the supervisor, pass on what it says, and end when it ends."""
        _require_services()
        check_settings()
        check_database(migrate=migrate)
        require_free(host, env.PORT, setting="PORT")
        require_free(host, env.WS_PORT, setting="WS_PORT")
        collect_static_files()
        token = make_setup_token()
        connections.close_all()
        self._supervise(host, token)

    def _supervise(self, host: str, token: str | None) -> None:
        configuration = write_configuration(
            env.DATA_DIR / "supervisor",
            programs(host),
            environment={"LIVE_URL": live_url()},
            directory=env.BASE_DIR,
        )
        supervisor = subprocess.Popen(  # noqa: S603  the command is our own
            supervisor_command(configuration), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.send_signal(signal.SIGTERM))
        threading.Thread(target=self._announce, args=(host, token), daemon=True).start()
        assert supervisor.stdout is not None  # noqa: S101  asked for above
        for line in supervisor.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        if code := supervisor.wait():
            raise CommandError(f"The supervisor ended with code {code}.")
        self.stdout.write("Stopped.")
        leave()

    def _announce(self, host: str, token: str | None) -> None:
        deadline = time.monotonic() + ANNOUNCE_SECONDS
        while not _is_ready(host):
            if time.monotonic() > deadline:
                self.stderr.write(f"Still not ready; see http://{host}:{env.PORT}/health/ready.")
                return
            time.sleep(0.2)
        where = f"http://{host}:{env.PORT}/, sockets on http://{host}:{env.WS_PORT}/"
        self.stdout.write(f"Serving on {where} (Ctrl-C ends it).")
        if token:
            self.stdout.write(f"Nobody has an account yet. Begin at {settings.BASE_URL}/setup/{token}/")
        self.stdout.flush()


def programs(host: str) -> list[Program]:
    """Return what full mode consists of."""
    return [
        Program("http", tuple(granian_command(host=host, port=env.PORT))),
        Program("sockets", python("manage.py", "serve_sockets", "--host", host), env.SOCKET_PROCESSES),
        Program("worker", python(*_CELERY, "worker", *_worker_options())),
        Program("beat", python(*_CELERY, "beat", "--pidfile", "", "--loglevel", "WARNING")),
    ]


def live_url() -> str:
    """Return where browsers find the sockets: what was set, else the other port of the same host.

    With a proxy in front, `BASE_URL` has another port than the server: sockets are at the same address.
    """
    base = urlsplit(settings.BASE_URL)
    if settings.LIVE_URL or base.port != env.PORT:
        return str(settings.LIVE_URL)
    host = f"[{base.hostname}]" if ":" in (base.hostname or "") else base.hostname
    return f"{base.scheme}://{host}:{env.WS_PORT}"


def _worker_options() -> tuple[str, ...]:
    number = ("--concurrency", str(env.TASK_PROCESSES))
    return (*number, "--without-gossip", "--without-mingle", "--loglevel", "WARNING")


def _require_services() -> None:
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not getattr(env, name)]
    if missing:
        raise CommandError(f"Full mode needs {' and '.join(missing)} to be set; without, there is: make run")
    if not settings.IS_POSTGRES:
        raise CommandError("Full mode needs PostgreSQL; DATABASE_URL does not begin with postgres://.")


def _is_ready(host: str) -> bool:
    try:
        address = f"http://{host}:{env.PORT}/health/ready"
        with urllib.request.urlopen(address, timeout=5) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
