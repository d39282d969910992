"""The name of this checkout in the names of its test databases, so that two checkouts do not meet."""

import hashlib
from pathlib import Path

CHECKOUT = hashlib.sha256(str(Path(__file__).resolve().parent.parent).encode()).hexdigest()[:8]
