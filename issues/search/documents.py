"""The text of an issue as the search keeps it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment; an internal one is kept apart from what everybody reads."""

    body: str
    is_internal: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """An issue's title, description, and comments in the order in which they were written."""

    issue_id: uuid.UUID
    title: str
    description: str = ""
    remarks: Sequence[Remark] = ()
