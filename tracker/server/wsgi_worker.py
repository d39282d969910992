"""The WSGI application as a worker of granian loads it: the worker ends with its main process."""

import multiprocessing
import os
import sys

from tracker.server.tied import end_with_parent

end_with_parent()  # before the application, which takes a second to load
_main = multiprocessing.parent_process()
if _main is not None and os.getppid() != _main.pid:  # it died before the kernel was asked
    sys.exit(1)

from tracker.wsgi import application  # noqa: E402

__all__ = ["application"]
