"""Who asks for a change, from where, and as of when. Passed to every service, never ambient."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tracker import clock

if TYPE_CHECKING:
    from accounts.models import User

Source = Literal["web", "api", "admin", "import", "seed", "rule", "system"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The person whose rights count (`user`), and what the event will say.

    `at` and `author` (another time, another person) are set only by the seed and by an admin's migration.
    """

    user: User
    source: Source = "api"
    cause: uuid.UUID | None = None
    request_id: str = ""
    at: datetime | None = None
    author: User | None = None

    @property
    def actor(self) -> User:
        """The person that the event names."""
        return self.author or self.user

    @property
    def now(self) -> datetime:
        """The time of the change, in UTC, cut to milliseconds."""
        return clock.cut(self.at) if self.at else clock.now()
