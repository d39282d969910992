"""The end of a serving process, without the seconds that Python takes to clear a large memory away."""

import logging
import os
import sys
from typing import NoReturn


def leave() -> NoReturn:
    """End this process with code 0 at once. Call it when all threads and connections have ended."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
