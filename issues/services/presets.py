"""The three workflows that a project may start from; afterwards its copy is its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from issues.models import Category

DEFAULT_PRESET: Final = "kanban"

COLORS: Final[Mapping[str, str]] = {
    Category.BACKLOG: "#6b7280",
    Category.UNSTARTED: "#3b82f6",
    Category.STARTED: "#f59e0b",
    Category.BLOCKED: "#ef4444",
    Category.DONE: "#22c55e",
    Category.CANCELED: "#94a3b8",
}


@dataclass(frozen=True, slots=True)
class PresetStatus:
    """A status of a preset, in the order of the workflow."""

    slug: str
    name: str
    category: Category

    @property
    def color(self) -> str:
        """The colour of its category."""
        return COLORS[self.category]


@dataclass(frozen=True, slots=True)
class Preset:
    """Statuses, the first of which is the initial one, and the allowed steps by slug."""

    name: str
    statuses: tuple[PresetStatus, ...]
    steps: Mapping[str, tuple[str, ...]]


_TRIAGE = Preset(
    name="triage",
    statuses=(
        PresetStatus("open", "Open", Category.UNSTARTED),
        PresetStatus("triaged", "Triaged", Category.UNSTARTED),
        PresetStatus("in_progress", "In progress", Category.STARTED),
        PresetStatus("done", "Done", Category.DONE),
    ),
    steps={
        "open": ("triaged", "in_progress"),
        "triaged": ("in_progress", "open"),
        "in_progress": ("done", "triaged", "open"),
        "done": ("in_progress", "open"),
    },
)

_KANBAN_STATUSES = (
    PresetStatus("backlog", "Backlog", Category.BACKLOG),
    PresetStatus("todo", "To do", Category.UNSTARTED),
    PresetStatus("in_progress", "In progress", Category.STARTED),
    PresetStatus("done", "Done", Category.DONE),
    PresetStatus("canceled", "Canceled", Category.CANCELED),
)
_KANBAN = Preset(
    name="kanban",
    statuses=_KANBAN_STATUSES,
    steps={
        status.slug: tuple(other.slug for other in _KANBAN_STATUSES if other != status)
        for status in _KANBAN_STATUSES
    },
)

_SERVICE_DESK = Preset(
    name="service_desk",
    statuses=(
        PresetStatus("open", "Open", Category.UNSTARTED),
        PresetStatus("in_progress", "In progress", Category.STARTED),
        PresetStatus("blocked", "Blocked", Category.BLOCKED),
        PresetStatus("closed", "Closed", Category.DONE),
    ),
    steps={
        "open": ("in_progress", "closed"),
        "in_progress": ("open", "closed", "blocked"),
        "blocked": ("in_progress", "open"),
        "closed": ("open", "in_progress"),
    },
)

PRESETS: Final[Mapping[str, Preset]] = {preset.name: preset for preset in (_TRIAGE, _KANBAN, _SERVICE_DESK)}
