"""What may be sent about projects and what hangs on them. What a reference names is for the services."""

from collections.abc import Sequence
from typing import Any, ClassVar

from accounts.models import Role
from issues.models import Category, MilestoneState, Visibility
from issues.services.colors import COLOR_PATTERN
from issues.services.presets import PRESETS
from issues.services.projects import KEY_PATTERN
from issues.services.texts import MAX_NAME, MAX_TEXT_BYTES
from issues.services.workflow_input import MAX_STATUSES, REQUIRABLE, SLUG_PATTERN
from tracker.api.bodies import Body
from tracker.api.fields import Choice, Day, Flag, Ref, StrictField, Text, Whole

MAX_TEAMS = 100


class Given(StrictField):
    """A value that the service reads; `schema` is what it takes."""

    def __init__(self, schema: dict[str, Any], **options: Any) -> None:
        super().__init__(**options)
        self._spectacular_annotation = {"field": schema}

    def read(self, data: Any) -> Any:
        """Return what was sent."""
        return data


class TeamsField(StrictField):
    """The whole list of a project's teams, each by its id."""

    _one = Ref("id", max_length=36)
    _spectacular_annotation: ClassVar[dict[str, Any]] = {
        "field": {
            "type": "array",
            "maxItems": MAX_TEAMS,
            "items": _one._spectacular_annotation["field"],
        }
    }

    def read(self, data: Any) -> list[str]:
        """Return the ids as texts."""
        if not isinstance(data, list):
            raise ValueError("Must be a list of ids.")  # noqa: TRY004  as every field here
        if len(data) > MAX_TEAMS:
            raise ValueError(f"At most {MAX_TEAMS} teams.")
        return [self._one.read(item) for item in data]


class ProjectBody(Body):
    """A project that is changed: its key stays, `archived: false` takes it out of the archive."""

    ignored: ClassVar[frozenset[str]] = frozenset({"open_count", "workflow_preset"})

    name = Text(min_length=1, max_length=MAX_NAME)
    description = Text(max_bytes=MAX_TEXT_BYTES, trim=False, required=False)
    visibility = Choice(Visibility.values, required=False)
    lead = Ref("id", "email", required=False, allow_null=True)
    teams = TeamsField(required=False)
    reporters_see_all = Flag(required=False)
    time_zone = Text(min_length=1, max_length=64, required=False)
    archived = Flag(required=False)


class WholeProjectBody(ProjectBody):
    """PUT of a project: the key must be there, and does not change."""

    key = Text(min_length=1)


class NewProjectBody(Body):
    """A new project."""

    ignored: ClassVar[frozenset[str]] = frozenset({"open_count", "archived"})

    key = Given({"type": "string", "pattern": KEY_PATTERN})
    name = Text(min_length=1, max_length=MAX_NAME)
    description = Text(max_bytes=MAX_TEXT_BYTES, trim=False, required=False)
    visibility = Choice(Visibility.values, required=False)
    workflow_preset = Choice(tuple(PRESETS), required=False)
    lead = Ref("id", "email", required=False, allow_null=True)
    teams = TeamsField(required=False)
    reporters_see_all = Flag(required=False)
    time_zone = Text(min_length=1, max_length=64, required=False)


def _words(words: Sequence[str]) -> dict[str, Any]:
    return {"type": "array", "items": {"enum": list(words)}}


_SLUG: dict[str, Any] = {"type": "string", "pattern": SLUG_PATTERN}
_STATUS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "slug": _SLUG,
        "name": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
        "category": {"enum": Category.values},
        "color": {"type": "string", "pattern": COLOR_PATTERN},
    },
    "required": ["slug", "name", "category"],
    "additionalProperties": False,
}
_STEP: dict[str, Any] = {
    "type": "object",
    "properties": {"from": _SLUG, "to": _SLUG, "roles": _words(Role.values), "requires": _words(REQUIRABLE)},
    "required": ["from", "to"],
    "additionalProperties": False,
}


class WorkflowBody(Body):
    """A whole workflow. `moves`: old slug to new slug, for the issues of a status that goes."""

    version = Whole(minimum=1, required=False)
    initial = Given(_SLUG)
    statuses = Given({"type": "array", "items": _STATUS, "minItems": 1, "maxItems": MAX_STATUSES})
    transitions = Given({"type": "array", "items": _STEP})
    moves = Given({"type": "object", "additionalProperties": _SLUG}, required=False)


class LabelBody(Body):
    """A label."""

    name = Text(min_length=1, max_length=MAX_NAME)
    color = Given({"type": "string", "pattern": COLOR_PATTERN}, required=False)
    description = Text(max_length=255, required=False)


class MilestoneBody(Body):
    """A milestone."""

    ignored: ClassVar[frozenset[str]] = frozenset({"total", "done"})

    name = Text(min_length=1, max_length=MAX_NAME)
    description = Text(max_bytes=MAX_TEXT_BYTES, trim=False, required=False)
    due_date = Day(required=False, allow_null=True)
    state = Choice(MilestoneState.values, required=False)
