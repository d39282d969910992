"""The fields of an issue that people set: how a value is read, compared, stored and told.

One table for creating, editing, the merge page and the rules. A value arrives in any form that the API
accepts (`"me"`, an address, `{"id": …}`, a word); what it names is looked up inside what the caller sees.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from accounts.models import User, fold_email
from accounts.people import people
from issues.catalog import Catalog, NameInfo, ProjectInfo, catalog
from issues.models import PRIORITY_WORDS, SEVERITY_WORDS, Issue, IssueLabel, IssueType, Priority, Severity
from issues.refs import find_issue, parse_uuid
from issues.rows import number, visible_keys
from issues.scope import Scope, scope_of
from issues.services.texts import MAX_TITLE, clean_line, clean_text
from tracker.caller import Caller
from tracker.errors import Invalid, NotFound
from tracker.versions import forget_versions, remember, versions_of

MAX_LABELS: Final = 50
MAX_ESTIMATE: Final = Decimal(10_000)
_SEED_PRIORITIES: Final = {0: Priority.NONE, 1: Priority.HIGH, 2: Priority.MEDIUM, 3: Priority.LOW}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a value is set: by whom, in which project, on which issue (None for a new one)."""

    by: Caller
    scope: Scope
    project: ProjectInfo
    catalog: Catalog
    issue: Issue | None = None


def setting(by: Caller, project_id: uuid.UUID, issue: Issue | None = None) -> Setting:
    """Return the setting of a change by this caller in this project."""
    known = catalog(versions_of(by.user))
    if issue is not None and issue.status_id not in known.statuses:  # the row is newer than the snapshot
        forget_versions(by.user)
        known = catalog(versions_of(by.user))
    return Setting(by, scope_of(by.user), known.projects[project_id], known, issue)


@dataclass(frozen=True, slots=True)
class Field:
    """`read` makes the stored value of an input (raises `Invalid`); `tell` makes the event's of it."""

    column: str
    read: Callable[[object, Setting], Any]
    tell: Callable[[Any, Setting], Any]
    default: Any = None


def _text_tell(value: Any, _: Setting) -> Any:
    return value or None


def _same(value: Any, _: Setting) -> Any:
    return value


def _word(words: Mapping[str, Any], name: str) -> Callable[[object, Setting], Any]:
    def read(value: object, _: Setting) -> Any:
        if isinstance(value, str) and value in words:
            return words[value]
        raise Invalid(fields={name: [f"Must be one of {', '.join(words)}."]})

    return read


def _read_priority(value: object, at: Setting) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and value in _SEED_PRIORITIES:
        return _SEED_PRIORITIES[value]
    return _word(PRIORITY_WORDS, "priority")(value, at)


def unpack(value: object, *names: str) -> object:
    """Return the short form of a reference that came in the form in which it is read."""
    if isinstance(value, dict):
        return next((value[name] for name in names if value.get(name) is not None), value)
    return value


def _read_status(value: object, at: Setting) -> uuid.UUID:
    slug = unpack(value, "slug")
    status = at.catalog.status_by_slug(at.project.id, slug) if isinstance(slug, str) else None
    if status is None:
        known = ", ".join(status.slug for status in at.catalog.statuses_of(at.project.id))
        raise Invalid(fields={"status": [f"This project has no such status. It has: {known}."]})
    return status.id


def _read_assignee(value: object, at: Setting) -> uuid.UUID | None:
    value = unpack(value, "id", "email")
    if value is None:
        return None
    person = find_person(value, at=at)
    if person is not None and at.issue is not None and person.pk == at.issue.assignee_id:
        return person.pk  # who is assigned may stay, whatever became of them since
    if person is None or not person.is_active or not _sees_project(person, at):
        raise Invalid(fields={"assignee": ["There is no active person of this name who sees the project."]})
    return person.pk


def find_person(value: object, *, at: Setting) -> User | None:
    """Return the account of an id, an address or `"me"`; None where there is none."""
    if value == "me":
        return at.by.user
    if (person_id := parse_uuid(value)) is not None:
        return at.by.user if person_id == at.by.user.pk else User.objects.filter(pk=person_id).first()
    if isinstance(value, str) and "@" in value:
        found: User | None = User.objects.filter(email=fold_email(value)).first()
        return found
    return None


def _sees_project(person: User, at: Setting) -> bool:
    if person is not at.by.user:
        remember(person, versions_of(at.by.user))
    return scope_of(person).sees_project(at.project.id)


def _read_labels(value: object, at: Setting) -> tuple[uuid.UUID, ...]:
    if not isinstance(value, list | tuple):
        raise Invalid(fields={"labels": ["Must be a list of names."]})
    names = [unpack(item, "name") for item in value]
    if not all(isinstance(name, str) for name in names):
        raise Invalid(fields={"labels": ["Must be a list of names."]})
    known = {
        info.name.casefold(): info.id
        for info in at.catalog.labels.values()
        if info.project_id == at.project.id
    }
    unknown = [name for name in names if str(name).casefold() not in known]
    if unknown:
        raise Invalid(fields={"labels": [f"The project has no label {name!r}." for name in unknown[:10]]})
    found = tuple(sorted({known[str(name).casefold()] for name in names}))
    if len(found) > MAX_LABELS:
        raise Invalid(fields={"labels": [f"At most {MAX_LABELS} labels; these are {len(found)}."]})
    return found


def _in_project(names: Callable[[Catalog], dict[uuid.UUID, NameInfo]], field: str) -> Any:
    def read(value: object, at: Setting) -> uuid.UUID | None:
        value = unpack(value, "id", "name")
        if value is None:
            return None
        known = names(at.catalog)
        by_id = known.get(parse_uuid(value) or uuid.UUID(int=0))
        if by_id is not None and by_id.project_id == at.project.id:
            return by_id.id
        for info in known.values():
            if (
                info.project_id == at.project.id
                and isinstance(value, str)
                and info.name.casefold() == value.casefold()
            ):
                return info.id
        raise Invalid(fields={field: [f"The project has no such {field}."]})

    return read


def _read_team(value: object, at: Setting) -> uuid.UUID | None:
    value = unpack(value, "id")
    if value is None:
        return None
    team_id = parse_uuid(value)
    is_present = team_id is not None and at.issue is not None and team_id == at.issue.team_id
    if team_id is None or (team_id not in at.project.team_ids and not is_present):
        raise Invalid(fields={"team": ["This is not one of the project's teams."]})
    return team_id


def _read_parent(value: object, at: Setting) -> uuid.UUID | None:
    value = unpack(value, "id", "key")
    if value is None:
        return None
    visible = Issue.objects.visible_to(at.by.user)
    try:
        parent = find_issue(
            value if isinstance(value, uuid.UUID) else str(value), user=at.by.user, among=visible
        )
    except NotFound:
        raise Invalid(fields={"parent": ["There is no such issue."]}) from None
    if at.issue is not None and parent.pk == at.issue.pk:
        raise Invalid(fields={"parent": ["An issue cannot be its own parent."]})
    return parent.pk


def _read_estimate(value: object, _: Setting) -> Decimal | None:
    if value is None:
        return None
    amount = _decimal(value)
    if amount is None or not 0 <= amount <= MAX_ESTIMATE or int(amount.as_tuple().exponent) < -2:
        raise Invalid(fields={"estimate": ["Must be a number from 0 to 10000 with at most two decimals."]})
    return amount.quantize(Decimal("0.01"))


def _decimal(value: object) -> Decimal | None:
    """Return the finite number that a value spells, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        amount = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    return amount if amount.is_finite() else None


def _read_date(value: object, _: Setting) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, date):
        return value
    try:
        day = date.fromisoformat(value) if isinstance(value, str) and _DATE.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None or not 1900 <= day.year <= 2200:
        raise Invalid(fields={"due_date": ["Must be a date such as 2026-12-01, from 1900 to 2200."]})
    return day


def _read_department(value: object, _: Setting) -> str:
    return clean_line("" if value is None else value, field="department", required=False)


def _tell_person(value: uuid.UUID | None, at: Setting) -> Any:
    if value is None:
        return None
    row = people([value], versions=versions_of(at.by.user)).get(value)
    return {"id": str(value), "name": row["name"] if row else ""}


def _tell_named(names: Callable[[Catalog], dict[uuid.UUID, NameInfo]]) -> Callable[[Any, Setting], Any]:
    def tell(value: uuid.UUID | None, at: Setting) -> Any:
        info = names(at.catalog).get(value) if value else None
        return {"id": str(info.id), "name": info.name} if info else None

    return tell


def _tell_labels(value: tuple[uuid.UUID, ...], at: Setting) -> list[str]:
    return sorted(
        (at.catalog.labels[item].name for item in value if item in at.catalog.labels), key=str.casefold
    )


def _tell_parent(value: uuid.UUID | None, at: Setting) -> Any:
    if value is None:
        return None
    return {"id": str(value), "key": visible_keys([value], user=at.by.user).get(value)}


FIELDS: Final[Mapping[str, Field]] = {
    "title": Field("title", lambda v, _: clean_line(v, field="title", limit=MAX_TITLE), _same),
    "description": Field(
        "description", lambda v, _: clean_text("" if v is None else v, field="description"), _text_tell, ""
    ),
    "type": Field("type", _word({item.value: item for item in IssueType}, "type"), _same, IssueType.TASK),
    "status": Field("status_id", _read_status, lambda v, at: at.catalog.statuses[v].slug if v else None),
    "severity": Field(
        "severity", _word(SEVERITY_WORDS, "severity"), lambda v, _: Severity(v).word, Severity.MEDIUM
    ),
    "priority": Field("priority", _read_priority, lambda v, _: Priority(v).word, Priority.NONE),
    "assignee": Field("assignee_id", _read_assignee, _tell_person),
    "labels": Field("labels", _read_labels, _tell_labels, ()),
    "milestone": Field(
        "milestone_id", _in_project(lambda c: c.milestones, "milestone"), _tell_named(lambda c: c.milestones)
    ),
    "cycle": Field("cycle_id", _in_project(lambda c: c.cycles, "cycle"), _tell_named(lambda c: c.cycles)),
    "parent": Field("parent_id", _read_parent, _tell_parent),
    "team": Field("team_id", _read_team, _tell_named(lambda c: c.teams)),
    "estimate": Field("estimate", _read_estimate, lambda v, _: number(v)),
    "due_date": Field("due_date", _read_date, lambda v, _: v.isoformat() if v else None),
    "department": Field("department", _read_department, _text_tell, ""),
}


def stored(issue: Issue, name: str) -> Any:
    """Return what the issue has now, in the form of `Field.read`; labels cost a query."""
    if name == "labels":
        return tuple(sorted(IssueLabel.objects.filter(issue=issue).values_list("label_id", flat=True)))
    return getattr(issue, FIELDS[name].column)
