"""Runs a command that ends with the process that started it, however that one ends (Linux).

    python tracker/server/tied.py COMMAND ARGUMENT…

Started by its path and without imports of ours: it costs some milliseconds and becomes the command.
"""

import contextlib
import ctypes
import os
import signal
import sys

_SET_PARENT_DEATH_SIGNAL = 1


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies; this outlasts `exec`. Elsewhere it does nothing."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)


if __name__ == "__main__":
    end_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606  the command is our own
