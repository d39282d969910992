"""The shapes of what is answered about projects, for the schema. `issues.project_rows` makes them."""

from typing import Literal, TypedDict

from accounts.people import PersonRow
from issues.api.shapes import CategoryWord

RoleWord = Literal["reporter", "developer", "maintainer", "admin"]


class Project(TypedDict):
    """A project; `open_count` counts the open issues that the caller sees."""

    id: str
    key: str
    name: str
    description: str
    visibility: Literal["internal", "private"]
    workflow_preset: str
    lead: PersonRow | None
    teams: list[str]
    reporters_see_all: bool
    time_zone: str
    archived: bool
    open_count: int
    created_at: str


class WorkflowStatus(TypedDict):
    """A status of a workflow."""

    slug: str
    name: str
    category: CategoryWord
    color: str


WorkflowStep = TypedDict(
    "WorkflowStep", {"from": str, "to": str, "roles": list[RoleWord], "requires": list[str]}
)
WorkflowStep.__doc__ = (
    "An allowed step; `roles`: who may take it, empty for everybody who may change the status."
)


class Workflow(TypedDict):
    """The workflow of a project."""

    version: int
    initial: str
    statuses: list[WorkflowStatus]
    transitions: list[WorkflowStep]


class Label(TypedDict):
    """A label of a project."""

    id: str
    name: str
    color: str
    description: str


class Milestone(TypedDict):
    """A milestone; `total` and `done` count the issues that the caller sees."""

    id: str
    name: str
    description: str
    due_date: str | None
    state: Literal["open", "closed"]
    total: int
    done: int
