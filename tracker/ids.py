"""Identifiers: UUIDv7 for every row (RFC 9562, section 5.7)."""

import uuid

from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a fresh UUIDv7. Ids of one process are in order; those of two processes are not."""
    return uuid7()
