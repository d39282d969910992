"""Identifiers: UUIDv7 for every row (RFC 9562, section 5.7)."""

import uuid

from uuid_utils import uuid7 as uuid7_of_text
from uuid_utils.compat import uuid7


def new_id() -> uuid.UUID:
    """Return a fresh UUIDv7. Ids of one process are in order; those of two processes are not."""
    return uuid7()


def new_id_text() -> str:
    """Return the text of a fresh id, for rows that are written by the thousand."""
    return str(uuid7_of_text())
