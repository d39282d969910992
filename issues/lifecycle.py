"""When work on an issue began and ended, as its statuses tell.

The beginning is the first entry into a started or blocked status since the issue was last waiting
(backlog, unstarted); the end is the entry into a closed status (done, canceled) since it was last open.
Live changes and imported history follow this one function.
"""

from dataclasses import dataclass
from datetime import datetime

from issues.models.choices import CLOSED_CATEGORIES, STARTED_CATEGORIES


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The two times of an issue; None where it has not happened."""

    started_at: datetime | None = None
    closed_at: datetime | None = None

    def enter(self, category: str, at: datetime) -> "Lifecycle":
        """Return the times after a status of this category was entered at `at`."""
        if category in CLOSED_CATEGORIES:
            return Lifecycle(self.started_at, self.closed_at or at)
        if category in STARTED_CATEGORIES:
            return Lifecycle(self.started_at or at, None)
        return Lifecycle(None, None)
