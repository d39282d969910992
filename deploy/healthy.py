"""Ends with 0 where the server of this container answers. Needs nothing but Python itself.

python healthy.py [PORT]: 8000 unless given.
"""

import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 4


def main() -> int:
    """Ask for `/health/live`; return the exit code."""
    port = sys.argv[1] if len(sys.argv) > 1 else "8000"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/health/live", timeout=TIMEOUT_SECONDS) as reply:
            return 0 if reply.status == 200 else 1
    except (urllib.error.URLError, OSError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
