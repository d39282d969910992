"""An issue's fields in Jira's own words at one time, and what they are in the product's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from issues.services.migration_records import FieldValues
from transfer.jira import values
from transfer.jira.rules import STATUS_CATEGORY_KEYS, STATUS_NAMES, slug
from transfer.jira.sprints import sprint_name
from transfer.jira.survey import ANONYMOUS, Survey
from transfer.jira.wiki import to_markdown

MOST_LABELS = 50
LONGEST_TITLE = 255
LONGEST_NAME = 100
LARGEST_TEXT_BYTES = 64 * 1024
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(slots=True)
class JiraState:
    """What Jira has in an issue's fields. Components and versions are names by id."""

    title: str = ""
    description: str = ""
    type: str = ""
    status: str = ""
    priority: str = ""
    resolution: str = ""
    reporter: str | None = None
    assignee: str | None = None
    labels: tuple[str, ...] = ()
    components: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    sprint: str = ""
    estimate: Decimal | None = None
    parent: str | None = None
    due_date: str | None = None

    def copy(self) -> "JiraState":
        """Return a state that may be changed apart from this one."""
        return replace(self, components=dict(self.components), versions=dict(self.versions))


def present_state(survey: Survey, fields: Mapping[str, Any], parent: str | None) -> JiraState:
    """Read the fields of an issue as it is now. Raises FieldProblem."""
    data = dict(fields)
    state = JiraState(
        title=values.text(data, "summary").strip(),
        description=values.text(data, "description"),
        type=values.name_of(data, "issuetype"),
        status=values.name_of(data, "status"),
        priority=values.name_of(data, "priority"),
        resolution=values.name_of(data, "resolution"),
        reporter=survey.add_person(
            values.person(data, "reporter") or values.person(data, "creator") or ANONYMOUS
        ),
        assignee=survey.add_person(values.person(data, "assignee")),
        labels=tuple(_label(label, "labels") for label in values.entries(data, "labels")),
        components=_named(data, "components"),
        versions=_named(data, "fixVersions"),
        due_date=values.day(values.text(data, "duedate"), "duedate"),
        parent=parent,
    )
    for field_id, value in data.items():
        if value is not None and field_id.startswith("customfield_"):
            _take_custom(state, survey.target_of(field_id), value)
    return state


def _label(value: Any, path: str) -> str:
    return values.text({"label": value}, "label", path).strip()


def _named(fields: dict[str, Any], name: str) -> dict[str, str]:
    """Return names by id of a list of versions or components, in the order of the file."""
    named: dict[str, str] = {}
    for index, entry in enumerate(values.entries(fields, name)):
        inner = values.members({"entry": entry}, "entry", f"{name}[{index}]")
        shown = values.text(inner, "name", f"{name}[{index}].name").strip()
        if shown:
            named[values.identifier(inner, "id", f"{name}[{index}].id") or shown] = shown
    return named


def _take_custom(state: JiraState, target: str | None, value: Any) -> None:
    if target == "estimate":
        state.estimate = values.number(value)
    elif target == "cycle":
        state.sprint = sprint_name(value)
    elif target == "labels":
        state.labels += tuple(filter(None, map(_shown, value if isinstance(value, list) else [value])))
    elif target == "milestone" and (
        shown := _shown(value[0] if isinstance(value, list) and value else value)
    ):
        state.versions = {shown: shown, **state.versions}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("value") or value.get("name")
    return value.strip() if isinstance(value, str) else ""


class Projection:
    """What a state is in the product's words; texts are turned once for each issue."""

    def __init__(self, survey: Survey, present: JiraState) -> None:
        self._survey = survey
        self._version_ranks = {version: rank for rank, version in enumerate(present.versions)}
        self._texts: dict[str, str] = {"": ""}

    def values(self, state: JiraState) -> FieldValues:
        """Return the issue's fields at the time of this state."""
        rules = self._survey.rules
        versions = self._versions(state)
        return FieldValues(
            title=one_line(state.title)[:LONGEST_TITLE].strip() or "?",
            description=self.markdown(state.description),
            type=rules.type_of(state.type)[0],
            status=slug(state.status) if state.status else default_status(state.resolution),
            priority=rules.priority_of(state.priority)[0],
            reporter=state.reporter,
            assignee=state.assignee,
            labels=self._labels(state, versions),
            milestone=versions[0] if versions else None,
            cycle=one_line(state.sprint)[:LONGEST_NAME] or None,
            parent=state.parent,
            estimate=state.estimate,
            due_date=state.due_date,
        )

    def _versions(self, state: JiraState) -> list[str]:
        """Return the names of the versions, the present ones first and in their order."""
        ranks = self._version_ranks
        ordered = sorted(state.versions.items(), key=lambda version: ranks.get(version[0], len(ranks)))
        return [one_line(name)[:LONGEST_NAME] for _, name in ordered]

    def _labels(self, state: JiraState, versions: list[str]) -> tuple[str, ...]:
        resolution = self._survey.rules.label_of_resolution(state.resolution)
        names = [
            *state.labels,
            *state.components.values(),
            *versions[1:],
            *([resolution] if resolution else []),
        ]
        different: dict[str, str] = {}
        for name in names:
            shown = one_line(name)[:LONGEST_NAME].strip()
            if shown:
                different.setdefault(shown.casefold(), shown)
        return tuple(list(different.values())[:MOST_LABELS])

    def markdown(self, text: str) -> str:
        """Return a description or comment in Markdown, cut to what the product stores."""
        if text not in self._texts:
            self._texts[text] = cut_text(to_markdown(text))
        return self._texts[text]


def one_line(text: str) -> str:
    """Return a text without the control characters that names and titles may not have."""
    return _CONTROLS.sub(" ", text).strip()


def cut_text(text: str) -> str:
    """Return at most 64 KiB of a text, whole characters."""
    encoded = text.encode()
    return (
        text if len(encoded) <= LARGEST_TEXT_BYTES else encoded[:LARGEST_TEXT_BYTES].decode(errors="ignore")
    )


def default_status(resolution: str) -> str:
    """Return the status of an issue whose status the file does not tell."""
    return "done" if resolution else "open"


def category_of(survey: Survey, state: JiraState) -> tuple[str, bool]:
    """Return the category of a state's status, and whether that was known. It follows from the name alone:

    the mapping file, `statusCategory` of any issue with that status, a table of names, done where most issues
    with that status have a resolution, else started.
    """
    folded = (state.status or default_status(state.resolution)).casefold()
    if word := survey.rules.statuses.get(folded):
        return word, True
    if known := STATUS_CATEGORY_KEYS.get(survey.categories.get(folded, "")):
        return known, True
    if named := STATUS_NAMES.get(folded):
        return named, True
    if survey.resolved[folded] * 2 > survey.with_status[folded]:
        return "done", True
    return "started", False
