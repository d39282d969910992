"""A project's workflow as a table."""

from dataclasses import dataclass
from typing import Any

from issues.catalog import ProjectInfo, catalog
from issues.models import Category
from tracker.versions import versions_of


@dataclass(frozen=True, slots=True)
class StatusLine:
    """A status, and where issues may go from it, with what the step asks for."""

    name: str
    category: str
    category_words: str
    is_initial: bool
    steps: list[str]


def workflow_table(project: ProjectInfo, *, user: Any) -> list[StatusLine]:
    """Return the statuses in the order of the workflow; no query."""
    known = catalog(versions_of(user))
    statuses, steps = known.statuses_of(project.id), known.transitions.get(project.id, {})
    return [
        StatusLine(
            name=status.name,
            category=status.category,
            category_words=str(Category(status.category).label),
            is_initial=status.is_initial,
            steps=[
                _step(
                    target.name, steps[(status.id, target.id)].roles, steps[(status.id, target.id)].requires
                )
                for target in statuses
                if (status.id, target.id) in steps
            ],
        )
        for status in statuses
    ]


def _step(name: str, roles: tuple[str, ...], requires: tuple[str, ...]) -> str:
    limits = [", ".join(roles), f"needs {', '.join(requires)}" if requires else ""]
    text = "; ".join(limit for limit in limits if limit)
    return f"{name} ({text})" if text else name
