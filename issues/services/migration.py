"""Bulk writing of issues with their past, for an admin's migration.

The same rules as everywhere: the right to migrate, numbers that are given once, an event for every change,
committed together with it. What a file brings is matched by (source, external id), so that a second run
changes nothing. `plan_migration` looks, `begin_migration` makes people and projects, `import_batch` writes
a short batch in a transaction of its own; after a crash the same file is simply imported again.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction

from accounts.models import ExternalIdentity, User, fold_email
from accounts.services.placeholders import ensure_placeholders
from issues import policy
from issues.models import Issue, Project
from issues.scope import scope_of
from issues.services.migration_batch import Batch, BatchResult
from issues.services.migration_places import Place, ensure_place
from issues.services.migration_records import IssueRecord, PersonRecord, ProjectRecord, RelationRecord
from issues.services.migration_values import Names
from tracker.caller import Caller
from tracker.errors import Conflict
from tracker.ids import new_id
from tracker.versions import forget_versions

MAX_BATCH = 100
_DEEPEST = 8
_MOST_NUMBER = 998_999_999
"""A key has at most nine digits; a million stay for the issues that come after."""


@dataclass(frozen=True, slots=True)
class Clash:
    """An issue that cannot be written, and why."""

    external_id: str
    key: str
    message: str


@dataclass(slots=True)
class Plan:
    """What a look at the database tells before anything is written. `ids` are by key here; `freed`: external
    ids of issues that an undo put into the trash."""

    ids: dict[str, uuid.UUID] = field(default_factory=dict)
    existing: set[uuid.UUID] = field(default_factory=set)
    highest: dict[str, int] = field(default_factory=dict)
    renumbered: set[str] = field(default_factory=set)
    clashes: list[Clash] = field(default_factory=list)
    freed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Issues that an earlier run of the same source brought, by key: their ids, and their parents' keys."""

    ids: Mapping[str, uuid.UUID]
    parents: Mapping[str, str]


@dataclass(slots=True)
class Migration:
    """A run: who does it, where things go, and what became of them so far (ids of issues).

    `held`: issues of the files that were here before; `updated`: those of them that got something new.
    """

    by: Caller
    source: str
    places: Mapping[str, Place]
    names: Names
    plan: Plan
    is_dry_run: bool
    present: set[uuid.UUID]
    created: set[uuid.UUID] = field(default_factory=set)
    held: set[uuid.UUID] = field(default_factory=set)
    updated: set[uuid.UUID] = field(default_factory=set)
    waiting: dict[str, list[RelationRecord]] = field(default_factory=lambda: defaultdict(list))


def find_earlier(source: str, keys: Iterable[str]) -> Earlier:
    """Return which of these keys an earlier run brought, with the parents above them."""
    ids: dict[str, uuid.UUID] = {}
    parents: dict[str, str] = {}
    wanted = _rows_by_key(source, keys)
    for _ in range(_DEEPEST):
        above: set[uuid.UUID] = set()
        names = {issue.pk: key for key, issue in wanted.items()}
        ids |= {key: issue.pk for key, issue in wanted.items()}
        above = {issue.parent_id for issue in wanted.values() if issue.parent_id} - set(ids.values())
        upper = {_key(issue): issue for issue in Issue.objects.filter(pk__in=above).select_related("project")}
        names |= {issue.pk: key for key, issue in upper.items()} | {
            issue_id: key for key, issue_id in ids.items()
        }
        parents |= {
            key: names[issue.parent_id]
            for key, issue in wanted.items()
            if issue.parent_id and issue.parent_id in names
        }
        wanted = upper
        if not wanted:
            break
    return Earlier(ids, parents)


def plan_migration(
    batches: Iterable[Sequence[IssueRecord]],
    *,
    source: str,
    earlier: Earlier,
    new_numbers: bool,
    freed: Callable[[Sequence[str]], Mapping[str, uuid.UUID]] | None = None,
) -> Plan:
    """Look for what is there already, and for numbers that issues made here have taken. Writes nothing.

    `freed`: tells which issues an undo freed, by external id; these are there, too.
    """
    plan = Plan(ids=dict(earlier.ids), existing=set(earlier.ids.values()))
    archived = set(Project.objects.filter(archived_at__isnull=False).values_list("key", flat=True))
    for records in batches:
        found = dict(
            Issue.objects.filter(
                source=source, external_id__in=[each.external_id for each in records]
            ).values_list("external_id", "id")
        )
        back = freed([each.external_id for each in records if each.external_id not in found]) if freed else {}
        plan.freed |= back.keys()
        found |= back
        taken = _taken_numbers([each for each in records if each.external_id not in found])
        for record in records:
            _plan_one(plan, record, found, taken, archived=archived, new_numbers=new_numbers)
    return plan


def begin_migration(
    *,
    by: Caller,
    source: str,
    projects: Iterable[ProjectRecord],
    people: Iterable[PersonRecord],
    plan: Plan,
    dry_run: bool = False,
) -> Migration:
    """Make the accounts and projects that the issues need, and return the run.

    Raises `NotAllowed`, and `Conflict` where a project is archived. A dry run makes nothing.
    """
    policy.require(allowed=policy.can_migrate(scope_of(by.user)), message="You may not import projects.")
    known = list(people)
    accounts = _planned_accounts(source, known) if dry_run else _accounts(source, known, by=by)
    places = {
        record.key: ensure_place(record, by=by, highest=plan.highest.get(record.key, 0), dry_run=dry_run)
        for record in sorted(projects, key=lambda record: record.key)
    }
    return Migration(by, source, places, Names(accounts, plan.ids), plan, dry_run, present=set(plan.existing))


def import_batch(migration: Migration, records: Sequence[IssueRecord]) -> BatchResult:
    """Write at most `MAX_BATCH` issues with their past, all or none, and return what became of them.

    Locks the issues that are there, by id. The rights are read anew. Raises `NotAllowed`, and
    `Conflict` where a number was taken meanwhile.
    """
    if len(records) > MAX_BATCH:
        raise ValueError(f"at most {MAX_BATCH} issues in a batch")
    forget_versions(migration.by.user)
    relations_due = _relations_due(migration, records)
    try:
        with transaction.atomic():
            allowed = policy.can_migrate(scope_of(migration.by.user))
            policy.require(allowed=allowed, message="You may not import projects.")
            result = _batch(migration, relations_due).write(records)
    except IntegrityError as clash:
        raise Conflict(
            "Somebody else wrote the same issues at the same time. Import the file again."
        ) from clash
    migration.created |= result.created_ids
    migration.present |= result.created_ids
    migration.held |= result.held_ids
    migration.updated |= result.changed_ids & (migration.held | migration.plan.existing)
    return result


def _batch(migration: Migration, relations_due: Sequence[RelationRecord]) -> Batch:
    return Batch(
        by=migration.by,
        source=migration.source,
        places=migration.places,
        names=migration.names,
        renumbered=migration.plan.renumbered,
        relations_due=relations_due,
        created_before=migration.created,
        is_dry_run=migration.is_dry_run,
    )


def _relations_due(migration: Migration, records: Sequence[IssueRecord]) -> list[RelationRecord]:
    """Return the relations of these issues whose other side is there by now; the others wait for it."""
    ids = migration.names.issues
    present = migration.present | {ids[record.key] for record in records if record.key in ids}
    due: list[RelationRecord] = []
    for record in records:
        for relation in [*record.relations, *migration.waiting.pop(record.key, [])]:
            missing = [key for key in (relation.source, relation.target) if ids.get(key) not in present]
            if not missing:
                due.append(relation)
            elif missing[0] in ids:
                migration.waiting[missing[0]].append(relation)
    return due


# --- the plan ----------------------------------------------------------------------------------------
def _taken_numbers(records: Sequence[IssueRecord]) -> set[tuple[str, int]]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for record in records:
        numbers[record.project].append(record.number)
    return {
        (key, number)
        for key, wanted in numbers.items()
        for number in Issue.objects.filter(project__key=key, number__in=wanted).values_list(
            "number", flat=True
        )
    }


def _plan_one(
    plan: Plan,
    record: IssueRecord,
    found: Mapping[str, uuid.UUID],
    taken: set[tuple[str, int]],
    *,
    archived: set[str],
    new_numbers: bool,
) -> None:
    if record.number > _MOST_NUMBER:
        message = f"the number is too high; it may be at most {_MOST_NUMBER}"
        plan.clashes.append(Clash(record.external_id, record.key, message))
        return
    plan.highest[record.project] = max(plan.highest.get(record.project, 0), record.number)
    if record.project in archived:
        message = f"project {record.project} is archived and can only be read"
        plan.clashes.append(Clash(record.external_id, record.key, message))
    elif record.external_id in found:
        plan.ids[record.key] = found[record.external_id]
        plan.existing.add(found[record.external_id])
    elif (record.project, record.number) in taken and not new_numbers:
        message = (
            f"number {record.number} of {record.project} belongs to an issue that was made here; "
            'the mapping file can give new numbers ("taken_numbers": "new")'
        )
        plan.clashes.append(Clash(record.external_id, record.key, message))
    else:
        plan.ids[record.key] = new_id()
        if (record.project, record.number) in taken:
            plan.renumbered.add(record.external_id)


def _rows_by_key(source: str, keys: Iterable[str]) -> dict[str, Issue]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for key in keys:
        project, _, number = key.rpartition("-")
        if number.isdigit() and len(number) <= 9:
            numbers[project].append(int(number))
    return {
        _key(issue): issue
        for project, wanted in numbers.items()
        for start in range(0, len(wanted), 500)
        for issue in Issue.objects.filter(
            source=source, project__key=project, number__in=wanted[start : start + 500]
        ).select_related("project")
    }


def _key(issue: Issue) -> str:
    return f"{issue.project.key}-{issue.number}"


# --- people ------------------------------------------------------------------------------------------
def _accounts(source: str, people: Sequence[PersonRecord], *, by: Caller) -> dict[str, User]:
    return ensure_placeholders(
        by=by, source=source, people=[(person.key, person.name, person.email) for person in people]
    )


def _planned_accounts(source: str, people: Sequence[PersonRecord]) -> dict[str, User]:
    """Return the accounts that a run would use, without making those that are missing."""
    found = {
        identity.external_id: identity.user
        for identity in ExternalIdentity.objects.filter(source=source).select_related("user")
    }
    emails = {fold_email(person.email) for person in people if person.email}
    by_email = {user.email: user for user in User.objects.filter(email__in=emails)}
    for person in people:
        if person.key not in found:
            account = by_email.get(fold_email(person.email)) if person.email else None
            found[person.key] = account or User(name=person.name)
    return found
