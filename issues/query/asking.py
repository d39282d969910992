"""Who asks, and what the values of a query may name."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q

from issues.catalog import Catalog, catalog
from issues.query.ast import Value
from issues.scope import Scope, scope_of
from tracker.versions import versions_of


@dataclass(frozen=True, slots=True)
class Asking:
    """The reader, and the visible projects that the query is about (all, or those that it names)."""

    user: Any
    scope: Scope
    catalog: Catalog
    project_ids: frozenset[uuid.UUID]

    def narrowed(self, project_ids: frozenset[uuid.UUID]) -> "Asking":
        """Return the same within these projects, so that conditions hold no ids of others."""
        return replace(self, project_ids=self.project_ids & project_ids)


def asking(user: Any) -> Asking:
    """Return who asks, with every project that they see; no query where rights and catalog are in memory."""
    scope = scope_of(user)
    return Asking(user, scope, catalog(versions_of(user)), scope.project_ids)


@dataclass(frozen=True, slots=True)
class Found:
    """A condition on issues, and the values as a person reads them."""

    condition: Q
    shown: tuple[str, ...] = ()


class UnknownValueError(Exception):
    """Values that name nothing the reader may see, and what was wanted."""

    def __init__(self, values: Sequence[Value], wanted: str) -> None:
        self.values = tuple(values)
        named = ", ".join(value.text[:100] for value in self.values[:10])
        super().__init__(f"{wanted}: {named}" if named else wanted)
