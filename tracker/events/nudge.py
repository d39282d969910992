"""A hint to the readers of the log that there is something new. It carries nothing and may be lost:
readers look by themselves at least once a second."""

import logging
from collections.abc import Callable

_listeners: list[Callable[[], None]] = []
_log = logging.getLogger(__name__)


def on_nudge(listener: Callable[[], None]) -> Callable[[], None]:
    """Call `listener` after each commit with events, in the committing thread; it must not block.

    Returns a function that takes the listener off again.
    """
    _listeners.append(listener)
    return lambda: _listeners.remove(listener) if listener in _listeners else None


def nudge() -> None:
    """Tell every listener; one that fails is logged and hurts nobody."""
    for listener in tuple(_listeners):  # one may take itself off meanwhile
        try:
            listener()
        except Exception:  # noqa: BLE001  a listener's fault must not turn a committed write into an error
            _log.exception("a listener of the event log failed")
