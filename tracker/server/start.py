"""What every serving command does first: check, bring the database up to date, listen."""

import socket
from collections.abc import Sequence
from typing import Final

from django.core.checks import ERROR, CheckMessage, Tags, run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

BACKLOG: Final = 1024


def check_settings() -> None:
    """Raise `CommandError` with a sentence for each wrong setting."""
    _refuse(run_checks())


def check_database(*, migrate: bool) -> None:
    """Bring the database up to date where `migrate` says so; raise `CommandError` where it is not."""
    try:
        is_old = _has_old_schema()
    except OperationalError as error:
        raise CommandError(f"The database does not answer: {_first_line(error)}") from error
    if is_old:
        if not migrate:
            raise CommandError("The database is not up to date; run: python manage.py migrate")
        call_command("migrate", verbosity=0)
    _refuse(run_checks(tags=[Tags.database], databases=["default"]))


def listen(host: str, port: int, *, shared: bool = False, setting: str = "PORT") -> socket.socket:
    """Return a socket that listens. Raises `CommandError` naming `setting` where the port is taken.

    `shared`: other processes that ask for the same may listen beside this one, and the kernel deals
    connections out among them.
    """
    listener = _bound(host, port, shared=shared, setting=setting)
    listener.listen(BACKLOG)
    listener.setblocking(False)  # noqa: FBT003
    return listener


def require_free(host: str, port: int, *, setting: str) -> None:
    """Raise `CommandError` naming `setting` where somebody listens on the port."""
    _bound(host, port, shared=False, setting=setting).close()


def _bound(host: str, port: int, *, shared: bool, setting: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host.strip("[]"), port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"Cannot listen on {host}:{port}: {error.strerror}. Set {setting} to another."
        ) from error
    return listener


def _refuse(found: Sequence[CheckMessage]) -> None:
    faults = [str(message.msg) for message in found if message.level >= ERROR]
    if faults:
        raise CommandError("\n".join(faults))


def _has_old_schema() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
