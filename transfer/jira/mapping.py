"""One issue of Jira → one record of ours, with everything that was kept, mapped or dropped on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from issues.services.migration_records import (
    CommentRecord,
    CycleRecord,
    FieldValues,
    IssueRecord,
    MilestoneRecord,
    ProjectRecord,
    RelationRecord,
    StatusRecord,
)
from transfer.jira import sprints, values
from transfer.jira.history import Entry, History, read_entries
from transfer.jira.links import Family
from transfer.jira.reader import RawIssue
from transfer.jira.rules import PROJECT_KEY, STATUS_CATEGORY_KEYS
from transfer.jira.state import (
    LONGEST_TITLE,
    MOST_LABELS,
    JiraState,
    Projection,
    category_of,
    cut_text,
    default_status,
    one_line,
    present_state,
)
from transfer.jira.survey import ANONYMOUS, Survey
from transfer.jira.wiki import to_markdown
from transfer.report import FieldProblem, Report

_IN_THE_LOG = "the log, as text"
_FIELDS: Mapping[str, tuple[str, str]] = {
    "project": ("kept", ""),
    "summary": ("mapped", "title"),
    "description": ("kept", "as Markdown"),
    "issuetype": ("mapped", "type"),
    "status": ("mapped", "status"),
    "priority": ("mapped", "priority"),
    "resolution": ("mapped", "labels, unless done"),
    "resolutiondate": ("mapped", "closed_at"),
    "created": ("mapped", "created_at"),
    "updated": ("mapped", "updated_at"),
    "duedate": ("mapped", "due_date"),
    "reporter": ("kept", ""),
    "assignee": ("kept", ""),
    "creator": ("mapped", "who made the first event"),
    "labels": ("kept", ""),
    "components": ("mapped", "labels"),
    "fixVersions": ("mapped", "milestone, labels"),
    "comment": ("mapped", "comments"),
    "issuelinks": ("mapped", "relations, parent"),
    "parent": ("kept", ""),
    "subtasks": ("mapped", "parent"),
    "environment": ("mapped", _IN_THE_LOG),
    "versions": ("mapped", _IN_THE_LOG),
    "attachment": ("dropped", "listed below"),
}
_HISTORY_FIELDS = {
    "summary": "title", "description": "description", "issuetype": "type", "status": "status",
    "priority": "priority",
    "resolution": "labels", "assignee": "assignee", "reporter": "reporter", "duedate": "due_date",
    "labels": "labels",
    "component": "labels", "fix version": "milestone, labels", "parent": "parent", "sprint": "cycle",
    "story points": "estimate", "key": "old keys",
}  # fmt: skip
_LONGEST_LOG_TEXT = 8000
_LONGEST_SHORT_NAME = 100


@dataclass(slots=True)
class ProjectDraft:
    """What the issues of one project need there; grows with names only."""

    key: str
    name: str
    statuses: dict[str, StatusRecord] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    milestones: dict[str, MilestoneRecord] = field(default_factory=dict)
    cycles: dict[str, CycleRecord] = field(default_factory=dict)

    def record(self) -> ProjectRecord:
        """Return the project as it is written."""
        return ProjectRecord(
            self.key, self.name, tuple(self.statuses.values()), tuple(self.labels.values()),
            tuple(self.milestones.values()), tuple(self.cycles.values()),
        )  # fmt: skip


class IssueMapper:
    """Maps issues one by one and collects what their projects need."""

    def __init__(self, survey: Survey, family: Family, report: Report) -> None:
        self._survey = survey
        self._family = family
        self._report = report
        self.projects: dict[str, ProjectDraft] = {}

    def map(self, raw: RawIssue) -> IssueRecord:
        """Return the record of an issue. Raises FieldProblem naming the field that refuses it."""
        survey, issue = self._survey, raw.value
        key = values.text(issue, "key")
        if not key:
            raise FieldProblem("key", "is missing")
        source_project, number = values.split_key(key)
        project = survey.rules.projects.get(source_project, source_project)
        if not PROJECT_KEY.fullmatch(project):
            raise FieldProblem(
                "key", f"{project!r} cannot be a project key here; give it another in the mapping file"
            )
        fields = issue.get("fields")
        if not isinstance(fields, dict):
            raise FieldProblem("fields", "is missing" if fields is None else "must be an object")
        if not values.text(fields, "summary").strip():
            raise FieldProblem("summary", "is missing")
        created_at = values.needed_moment(fields, "created")
        updated_at = values.moment(fields, "updated") or created_at
        parent = self._family.parents.get(key)
        present = present_state(survey, fields, survey.product_key(parent) if parent else None)
        projection = Projection(survey, present)
        history = History(survey, read_entries(survey, issue), present, projection)
        comments = self._comments(fields)
        now = projection.values(present)
        category = category_of(survey, present)
        self._tell_unknown(key, fields, present, now, known_category=category[1])
        self._tell_fields(key, issue, fields, history.entries)
        self._collect(project, source_project, present, now, category[0], fields)
        return IssueRecord(
            external_id=values.identifier(issue, "id") or key,
            project=project,
            number=number,
            created_at=created_at,
            updated_at=max(updated_at, created_at),
            resolved_at=values.moment(fields, "resolutiondate"),
            creator=survey.add_person(values.person(fields, "creator")) or present.reporter,
            initial=history.initial(),
            initial_category=category_of(survey, history.initial_state)[0],
            fields=now,
            category=category[0],
            events=tuple(history.events()),
            comments=comments,
            relations=tuple(self._relations(key)),
            aliases=_aliases(survey.product_key(key), history.entries),
            data=_log_data(key, fields),
        )

    def refuse_faulty(self, raw: RawIssue) -> None:
        """Raise what the survey found wrong in an issue, in fields that only it reads."""
        if fault := self._survey.faults.get((raw.file, raw.index)):
            raise fault

    def level(self, raw: RawIssue) -> int:
        """Return how many parents are above an issue that was mapped."""
        return self._family.level(values.text(raw.value, "key"))

    def _relations(self, key: str) -> list[RelationRecord]:
        product = self._survey.product_key
        return [
            RelationRecord(relation.type, product(relation.source), product(relation.target))
            for relation in self._family.relations.get(key, [])
        ]

    def _comments(self, fields: dict[str, Any]) -> tuple[CommentRecord, ...]:
        found: dict[str, CommentRecord] = {}
        entries = values.entries(values.members(fields, "comment"), "comments", "comment.comments")
        for index, value in enumerate(entries):
            path = f"comment.comments[{index}]"
            comment = self._comment(values.members({"comment": value}, "comment", path), path)
            found[comment.external_id] = comment
        return tuple(sorted(found.values(), key=lambda comment: comment.created_at))

    def _comment(self, comment: dict[str, Any], path: str) -> CommentRecord:
        created_at = values.needed_moment(comment, "created", f"{path}.created")
        updated_at = values.moment(comment, "updated", f"{path}.updated")
        is_edited = updated_at is not None and updated_at > created_at
        author = self._survey.add_person(values.person(comment, "author", f"{path}.author") or ANONYMOUS)
        editor = self._survey.add_person(values.person(comment, "updateAuthor", f"{path}.updateAuthor"))
        own_id = values.identifier(comment, "id", f"{path}.id") or f"{created_at.isoformat()} {author}"[:100]
        return CommentRecord(
            external_id=own_id,
            author=author or ANONYMOUS.key,
            body=cut_text(to_markdown(values.text(comment, "body", f"{path}.body"))),
            created_at=created_at,
            edited_at=updated_at if is_edited else None,
            editor=(editor or author) if is_edited else None,
            is_internal=bool(comment.get("visibility")) or comment.get("jsdPublic") is False,
        )

    def _collect(
        self,
        project: str,
        source_project: str,
        state: JiraState,
        now: FieldValues,
        category: str,
        fields: dict[str, Any],
    ) -> None:
        """Note what the project needs for this issue as it is now; what only history names is not needed."""
        name = self._survey.project_names.get(source_project) or project
        draft = self.projects.setdefault(
            project, ProjectDraft(project, one_line(name)[:_LONGEST_SHORT_NAME] or project)
        )
        status_name = one_line(state.status)[:_LONGEST_SHORT_NAME] or default_status(state.resolution).title()
        draft.statuses.setdefault(now.status, StatusRecord(now.status, status_name, category))
        for label in now.labels:
            draft.labels.setdefault(label.casefold(), label)
        if now.milestone and now.milestone.casefold() not in draft.milestones:
            draft.milestones[now.milestone.casefold()] = _milestone(now.milestone, fields)
        if now.cycle:
            draft.cycles.setdefault(now.cycle.casefold(), self._cycle(now.cycle, fields))

    def _cycle(self, name: str, fields: dict[str, Any]) -> CycleRecord:
        for field_id, value in fields.items():
            if field_id.startswith("customfield_") and self._survey.target_of(field_id) == "cycle":
                return next(
                    (cycle for cycle in sprints.cycles(value) if cycle.name == name), CycleRecord(name)
                )
        return CycleRecord(name)

    def _tell_unknown(
        self, key: str, fields: dict[str, Any], state: JiraState, now: FieldValues, *, known_category: bool
    ) -> None:
        rules, report = self._survey.rules, self._report
        if not rules.type_of(state.type)[1]:
            report.unknown_value("issuetype", state.type, now.type)
        if state.priority and not rules.priority_of(state.priority)[1]:
            report.unknown_value("priority", state.priority, now.priority)
        if not known_category:
            report.unknown_value("status", state.status, "category started")
        category_key = values.text(values.members(values.members(fields, "status"), "statusCategory"), "key")
        if category_key and category_key not in STATUS_CATEGORY_KEYS:
            report.unknown_value("statusCategory", category_key, "category by name")
        self._tell_odd(key, fields, state)

    def _tell_odd(self, key: str, fields: dict[str, Any], state: JiraState) -> None:
        """Report what is missing, too long or too much, and story points that are no number."""
        report = self._report
        for name, value in (("status", state.status), ("reporter", fields.get("reporter"))):
            if not value:
                report.note("Issues without a field that they should have", f"{key}: {name}")
        if len(state.title) > LONGEST_TITLE:
            report.note("Texts that were cut", f"{key}: summary")
        if len({*state.labels, *state.components.values()}) > MOST_LABELS:
            report.note("Labels left out (more than 50 on an issue)", key)
        for field_id, value in fields.items():
            is_estimate = (
                field_id.startswith("customfield_") and self._survey.target_of(field_id) == "estimate"
            )
            if is_estimate and value is not None and values.number(value) is None:
                report.unknown_value(self._field_name(field_id), str(value)[:80], "no estimate")

    def _tell_fields(
        self, key: str, issue: dict[str, Any], fields: dict[str, Any], entries: list[Entry]
    ) -> None:
        report = self._report
        for name, value in fields.items():
            if value is None or value in ("", [], {}):
                continue
            target = self._survey.target_of(name) if name.startswith("customfield_") else None
            action, to = ("mapped", target) if target else _FIELDS.get(name, ("dropped", ""))
            report.field_was(self._field_name(name), action, to)
        for entry in entries:
            for item in entry.items:
                report.field_was(f"history: {item.field}", *_history_action(item.field))
        for attachment in values.entries(fields, "attachment"):
            if isinstance(attachment, dict):
                size = attachment.get("size")
                shown = f" ({size} bytes)" if isinstance(size, int) else ""
                report.note(
                    "Attachments (such files hold only their names)",
                    f"{key}: {attachment.get('filename')}{shown}",
                )
        for what, holder, listed in (
            ("history entries", values.members(issue, "changelog"), "histories"),
            ("comments", values.members(fields, "comment"), "comments"),
        ):
            total, there = holder.get("total"), len(values.entries(holder, listed))
            if isinstance(total, int) and total > there:
                report.note(f"Issues whose {what} are cut in the file", f"{key}: {there} of {total}")

    def _field_name(self, field_id: str) -> str:
        shown = self._survey.names.get(field_id, "")
        return f"{field_id} ({shown})" if shown and field_id.startswith("customfield_") else field_id


def _history_action(name: str) -> tuple[str, str]:
    target = _HISTORY_FIELDS.get(name.casefold())
    return ("mapped", target) if target else ("mapped", _IN_THE_LOG)


def _milestone(name: str, fields: dict[str, Any]) -> MilestoneRecord:
    for entry in values.entries(fields, "fixVersions"):
        if isinstance(entry, dict) and one_line(str(entry.get("name", "")))[:_LONGEST_SHORT_NAME] == name:
            try:
                due_date = values.as_date(values.day(str(entry.get("releaseDate") or ""), "fixVersions"))
            except FieldProblem:
                due_date = None
            return MilestoneRecord(name, due_date, is_closed=entry.get("released") is True)
    return MilestoneRecord(name)


def _aliases(key: str, entries: list[Entry]) -> tuple[str, ...]:
    """Return the keys that the issue had before, from the moves in its history."""
    old: dict[str, None] = {}
    for entry in entries:
        for item in entry.items:
            if item.field == "Key":
                old.update(dict.fromkeys((item.source_text, item.target_text)))
    return tuple(alias for alias in old if alias != key and _is_key(alias))


def _is_key(text: str) -> bool:
    try:
        project, _ = values.split_key(text)
    except FieldProblem:
        return False
    return PROJECT_KEY.fullmatch(project) is not None


def _log_data(key: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return what the product has no field for, and Jira's own words for what it has."""
    data: dict[str, Any] = {"key": key}
    for name in ("issuetype", "status", "priority", "resolution"):
        if shown := values.name_of(fields, name):
            data[name] = shown
    if environment := values.text(fields, "environment").strip():
        data["environment"] = environment[:_LONGEST_LOG_TEXT]
    versions = [
        values.text(entry, "name") for entry in values.entries(fields, "versions") if isinstance(entry, dict)
    ]
    if versions:
        data["versions"] = versions[:100]
    files = [entry for entry in values.entries(fields, "attachment") if isinstance(entry, dict)]
    if files:
        data["attachments"] = [
            {
                name: entry[name]
                for name in ("filename", "size", "mimeType", "created")
                if isinstance(entry.get(name), str | int)
            }
            for entry in files[:200]
        ]
    return data
