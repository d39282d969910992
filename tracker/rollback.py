"""What is done outside of the database for a transaction, and undone where that does not come to be."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from django.db import InterfaceError, OperationalError

_undo: Final[ContextVar[list[Callable[[], None]] | None]] = ContextVar("undo", default=None)


def on_rollback(undo: Callable[[], None]) -> None:
    """Call this, the last first, where the block of `undoing` fails that is open now, if there is one."""
    steps = _undo.get()
    if steps is not None:
        steps.append(undo)


@contextmanager
def undoing() -> Iterator[None]:
    """Put this around a transaction whose failure is to undo what `on_rollback` was told.

    Where the database went away nobody knows whether it was committed: nothing is undone then, and what is
    left over the daily cleaning finds.
    """
    steps: list[Callable[[], None]] = []
    token = _undo.set(steps)
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except BaseException:
        for undo in reversed(steps):
            undo()
        raise
    finally:
        _undo.reset(token)
