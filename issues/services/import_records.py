"""A row of a table that is imported: the values of one issue in words, without a past."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple


class RowRecord(NamedTuple):
    """One issue. `values` has the fields that the table has columns for: words, people by their key there,
    a parent by its key there, labels as names, an ISO date, a Decimal.

    `issue_id`: it is this very issue, where the table is our own. `number`: the one to keep; None: the next.
    """

    line: int
    external_id: str
    key: str
    project: str
    number: int | None
    issue_id: uuid.UUID | None
    values: Mapping[str, Any]
    created_at: datetime | None = None
    updated_at: datetime | None = None
    started_at: datetime | None = None
    closed_at: datetime | None = None
