"""The one interface of the search, and the back end of the database at hand."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable

from issues.search import postgres, sqlite
from issues.search.documents import Document, Remark
from issues.search.needles import Needles
from issues.search.similarity import Scored


class Backend(Protocol):
    """What a back end can do. `internal`: whether the reader may read internal comments."""

    def store(self, documents: Sequence[Document]) -> None:
        """Write whole documents."""

    def prepare(self, document: Document) -> Any:
        """Return what `store_new` takes of a document, whose issue need not be known yet. Does not ask the
        database: another thread may do it."""

    def store_new(self, documents: Iterable[tuple[uuid.UUID | str, Any]]) -> None:
        """Write documents, prepared, of issues that have none yet."""

    def append(self, issue_id: uuid.UUID, remark: Remark) -> None:
        """Add a comment to a document that is there."""

    def remove(self, issue_ids: Iterable[uuid.UUID]) -> None:
        """Forget issues."""

    def condition(self, needles: Needles, *, internal: bool, common: bool) -> Q:
        """Return the condition on issues, which is not scoped to the reader otherwise."""

    def relevance(self, needles: Needles, *, internal: bool) -> Combinable:
        """Return how well an issue that matches does so: an exact number, more is better."""

    def is_common(self, needles: Needles, *, internal: bool) -> bool:
        """Whether so much matches that a rank would cost more than it tells."""

    def similar(self, issues: QuerySet[Any], words: Sequence[str], *, limit: int) -> list[Scored]:
        """Return the issues, among `issues`, whose titles are most like these words, the best first."""

    def missing(self) -> list[str]:
        """Return the names of what the search lacks in this database."""

    def repair(self) -> bool:
        """Make what is missing; return whether every document must be written anew."""


def backend() -> Backend:
    """Return the search of the database in use."""
    return postgres if connection.vendor == "postgresql" else sqlite
