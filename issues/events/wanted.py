"""What a receiver asked for, beside what they may see: some projects, one team, a query."""

import uuid
from dataclasses import dataclass

from django.db.models import Q

from issues.catalog import Catalog
from issues.events.audience import Place
from issues.events.frames import Batch, Frame
from issues.events.verbs import EventName
from issues.models import Issue
from tracker.models import Event

Ids = frozenset[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter of the stream; empty, it lets everything through.

    A query asks the issue as it is when the event is sent. That an issue is gone is told whatever the query.
    """

    project_ids: Ids | None = None
    team_id: uuid.UUID | None = None
    query: Q | None = None
    query_key: tuple[str, uuid.UUID | None] = ("", None)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is filtered."""
        return self.project_ids is None and self.team_id is None and self.query is None

    def projects_q(self) -> Q:
        """Return the condition on issues as far as the database can tell; the team is looked at after."""
        return Q() if self.project_ids is None else Q(project_id__in=self.project_ids)

    def has_place(self, batch: Batch, event: Event) -> bool:
        """Whether the event's issue is, or was before it went, where the receiver looks."""
        if self.project_ids is None and self.team_id is None:
            return True
        return any(self._holds(place, batch.catalog) for place in batch.places(event))

    def matches(self, batch: Batch) -> Ids | None:
        """Return which issues of a batch match the query, in one SQL query; None without a query."""
        if self.query is None:
            return None
        return frozenset(
            Issue.objects.filter(self.query, pk__in=list(batch.issues)).values_list("pk", flat=True)
        )

    def passes(self, event: Event, frame: Frame, matches: Ids | None) -> bool:
        """Whether the query lets a frame through."""
        return matches is None or frame.event == EventName.ISSUE_DELETED or event.issue_id in matches

    def _holds(self, place: Place, known: Catalog) -> bool:
        if self.project_ids is not None and place.project_id not in self.project_ids:
            return False
        if self.team_id is None or place.team_id == self.team_id:
            return True
        project = known.projects.get(place.project_id)
        return place.team_id is None and project is not None and self.team_id in project.team_ids


EVERYTHING = Wanted()
