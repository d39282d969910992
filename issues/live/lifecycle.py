"""Begins and ends the live stream of a process."""

from issues.live.database import stop_database_threads
from issues.live.reader import reader, stop_reader


def start_live() -> None:
    """Read the log from now on, also while nobody listens: what a crash left is numbered by this."""
    reader()


def stop_live() -> None:
    """End the threads and their connections."""
    stop_reader()
    stop_database_threads()
