"""Does one action of the plan by the service that everybody uses."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from accounts.models import User
from issues.models import Cycle, Milestone, MilestoneState, Project
from issues.seeding.plan import Action
from issues.seeding.story import Story
from issues.services.comments import add_comment
from issues.services.issues import change_status, create_issue, edit_issue
from issues.services.milestones import edit_milestone
from issues.services.relations import link_issues
from issues.services.watchers import watch_issue
from tracker.caller import Caller


@dataclass(slots=True)
class Stage:
    """A project in which the story plays, with what has been made so far, by its time."""

    story: Story
    project: Project
    admin: User
    people: Mapping[str, User]
    issues: dict[datetime, uuid.UUID] = field(default_factory=dict)
    comments: dict[tuple[uuid.UUID, datetime], uuid.UUID] = field(default_factory=dict)
    filed: dict[int, datetime] = field(default_factory=dict)
    said: dict[tuple[int, int], datetime] = field(default_factory=dict)

    def remember(self, plan: Iterable[Action]) -> None:
        """Note when issues are filed and comments written, so that later actions find them."""
        for action in plan:
            if action.kind == "file":
                self.filed[action.slot] = action.at
            elif action.kind == "comment":
                self.said[action.slot, action.values["place"]] = action.at

    def issue(self, slot: int) -> uuid.UUID:
        """Return the id of an issue that was filed before."""
        return self.issues[self.filed[slot]]

    def comment(self, slot: int, place: int | None) -> uuid.UUID | None:
        """Return the id of a comment that was written before; None where there is none."""
        if place is None:
            return None
        return self.comments.get((self.issue(slot), self.said[slot, place]))


def perform(action: Action, stage: Stage) -> None:
    """Do one thing. Raises what the service raises."""
    by = Caller(stage.admin, source="seed", at=action.at, author=stage.people[action.person])
    _DOERS[action.kind](action, stage, by)


def _file(action: Action, stage: Stage, by: Caller) -> None:
    issue = create_issue(stage.project.pk, by=by, fields=action.values)
    stage.issues[action.at] = issue.pk


def _edit(action: Action, stage: Stage, by: Caller) -> None:
    changes = dict(action.values)
    if "assignee" in changes:
        changes["assignee"] = str(stage.people[changes["assignee"]].pk)
    if "parent" in changes:
        changes["parent"] = str(stage.issue(changes["parent"]))
    if "cycle" in changes:
        day = action.at.date()
        cycles = Cycle.objects.filter(project=stage.project, starts_on__lte=day, ends_on__gte=day)
        changes["cycle"] = cycles.values_list("name", flat=True).first()
    edit_issue(stage.issue(action.slot), by=by, changes=changes)


def _step(action: Action, stage: Stage, by: Caller) -> None:
    change_status(stage.issue(action.slot), by=by, to=action.values["to"])


def _comment(action: Action, stage: Stage, by: Caller) -> None:
    issue_id = stage.issue(action.slot)
    comment = add_comment(
        issue_id,
        by=by,
        body=action.values["body"],
        parent_id=stage.comment(action.slot, action.values["parent"]),
        internal=action.values["internal"],
    )
    stage.comments[issue_id, action.at] = comment.pk


def _watch(action: Action, stage: Stage, by: Caller) -> None:
    watch_issue(stage.issue(action.slot), by=by)


def _link(action: Action, stage: Stage, by: Caller) -> None:
    other = stage.issue(action.values["other"])
    link_issues(stage.issue(action.slot), by=by, type=action.values["type"], other=other)


def _close_milestone(action: Action, stage: Stage, by: Caller) -> None:
    milestone = Milestone.objects.filter(project=stage.project, name=action.values["name"]).first()
    if milestone is not None:
        changes: dict[str, Any] = {"state": MilestoneState.CLOSED}
        edit_milestone(stage.project.pk, milestone.pk, by=by, changes=changes)


_DOERS: Final[Mapping[str, Callable[[Action, Stage, Caller], None]]] = {
    "file": _file,
    "edit": _edit,
    "step": _step,
    "comment": _comment,
    "watch": _watch,
    "link": _link,
    "close_milestone": _close_milestone,
}
