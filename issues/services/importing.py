"""Bulk writing of rows without a past: a table that somebody imports into projects that they manage.

New issues are written many at once, each with its event; what is here already is changed by `edit_issue`,
with the rights of who imports. Rows are matched by their own id, where the table is our own export, else by
(source, external id): a second run changes nothing, and what people changed since stays.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from issues import policy
from issues.models import Issue
from issues.refs import is_key
from issues.rows import issue_rows
from issues.scope import scope_of
from issues.services.hierarchy import MAX_DEPTH
from issues.services.import_new import DEFAULTS, EVENT_COLUMNS, create_new
from issues.services.import_records import Arrival, BatchOutcome, Importing, RowRecord
from issues.services.issues import edit_issue
from issues.services.migration_places import Place
from issues.services.migration_values import Told, differences, fold, told_value
from tracker.caller import Caller
from tracker.errors import DomainError
from tracker.events.record import record_many, record_numbered
from tracker.models import Event

MOST_ROWS: Final = 1000
_OWN_FIELDS: Final = (*(name for name in DEFAULTS if name != "reporter"), "status")


def require_import(by: Caller, project_id: uuid.UUID | None) -> None:
    """Raise `NotAllowed` unless this person may import there; without a project: an admin's migration."""
    scope = scope_of(by.user)
    if project_id is None:
        policy.require(allowed=policy.can_migrate(scope), message="You may not import projects.")
    else:
        allowed = policy.can_import(scope, project_id)
        policy.require(allowed=allowed, message="You may not import issues here.")


def write_rows(run: Importing, rows: Sequence[RowRecord], *, freed: Mapping[str, uuid.UUID]) -> BatchOutcome:
    """Write at most `MOST_ROWS` rows in the caller's transaction, and return what became of them.

    `freed`: issues that an undo put into the trash, by external id; they are taken out again. Locks the
    issues that are there, by id, then the counters of projects, by id. `close_batch` ends the transaction.
    Raises `NotAllowed`, `Conflict`.
    """
    return _work(run, rows, freed)


def rehearse_rows(
    run: Importing,
    rows: Sequence[RowRecord],
    *,
    freed: Mapping[str, uuid.UUID],
    places: Callable[[], Mapping[str, Place]],
) -> list[tuple[int, str, str]]:
    """Try what rows change, in a transaction that is rolled back; return what is refused: (line, field, why).

    New issues are looked at, not made. `places` is called in the transaction. Raises as `write_rows`.
    """
    with transaction.atomic():
        run.places = places()
        refused = _work(run, rows, freed, is_rehearsal=True).refused
        transaction.set_rollback(True)
    return refused


def is_known_source(source: str) -> bool:
    """Tell whether any issue was brought from there."""
    return Issue.objects.filter(source=source).exists()


def _work(
    run: Importing, rows: Sequence[RowRecord], freed: Mapping[str, uuid.UUID], *, is_rehearsal: bool = False
) -> BatchOutcome:
    require_import(run.by, run.project_id)
    outcome = BatchOutcome()
    held = _held(run, rows, freed)
    _find_parents(run, rows)
    back = [row for row in rows if row.external_id in freed and _is_here(run, row, held)]
    outcome.restored = {row.line for row in back if held[row.line].trashed_at is not None}
    _restore(run, back, held)
    here = [row for row in rows if row.line in held]
    run.known_parents.update({row.key: held[row.line].pk for row in here if row.key in run.parents})
    _find_levels(run, rows)
    fresh = [row for row in rows if row.line not in held and _may_be_made(run, row, outcome)]
    # The counters are locked last: who moves an issue locks it first, too.
    made = {row.key for row in fresh if row.key in run.parents}
    run.pretended |= made if is_rehearsal else set()
    _update(run, [row for row in here if row.values.get("parent") not in made], held, outcome)
    if is_rehearsal:
        return outcome
    create_new(run, fresh, outcome)
    _update(run, [row for row in here if row.values.get("parent") in made], held, outcome)
    return outcome


def close_batch(outcome: BatchOutcome) -> None:
    """Write the events of a batch's new issues: the last thing that its transaction does."""
    record_numbered(EVENT_COLUMNS, outcome.events)


# --- what is there -----------------------------------------------------------------------------------
def _held(run: Importing, rows: Sequence[RowRecord], freed: Mapping[str, uuid.UUID]) -> dict[int, Issue]:
    """Return the issues that rows are, by line, locked in the order of their ids.

    The source of a run into one project names that project, and an id counts where its project is seen: who
    imports learns nothing of others, and locks nothing there.
    """
    ids = [row.issue_id for row in rows if row.issue_id] + list(freed.values())
    mine = Q(source=run.source, external_id__in=[row.external_id for row in rows])
    if not ids and not run.has_earlier:
        return {}
    mine |= Q(pk__in=ids) & scope_of(run.by.user).projects_q() if ids else Q()
    found = Issue.objects.filter(mine).order_by("pk")
    if not run.is_dry_run:
        found = found.select_for_update(of=("self",))
    issues = list(found.defer("description"))
    by_id = {issue.pk: issue for issue in issues}
    by_external = {issue.external_id: issue for issue in issues if issue.source == run.source}
    held: dict[int, Issue] = {}
    for row in rows:
        issue = by_id.get(row.issue_id) if row.issue_id else None
        issue = (
            issue or by_external.get(row.external_id) or by_id.get(freed.get(row.external_id, row.issue_id))
        )
        if issue is not None:
            held[row.line] = issue
    return held


def _find_parents(run: Importing, rows: Sequence[RowRecord]) -> None:
    """Look for parents that this process did not write: of an earlier run, or made here."""
    wanted = {row.values["parent"] for row in rows if row.values.get("parent")} - run.known_parents.keys()
    if not wanted:
        return
    visible = Issue.objects.visible_to(run.by.user)
    brought = visible.filter(source=run.source, external_id__in=wanted).values_list("external_id", "id")
    run.known_parents.update({str(key): issue_id for key, issue_id in brought})
    numbers: dict[str, list[int]] = defaultdict(list)
    for key in wanted - run.known_parents.keys():
        if is_key(key):
            project, _, number = key.upper().rpartition("-")
            numbers[project].append(int(number))
    for project, wanted_numbers in numbers.items():
        found = visible.filter(project__key=project, number__in=wanted_numbers).values_list("number", "id")
        here = {f"{project}-{number}": issue_id for number, issue_id in found}
        run.known_parents.update({key: here[key.upper()] for key in wanted if key.upper() in here})


def _find_levels(run: Importing, rows: Sequence[RowRecord]) -> None:
    """Look how deep the parents are that are here: a query for each level, whatever the number of rows."""
    named = {row.values["parent"] for row in rows if row.values.get("parent")}
    ids = {key: run.known_parents[key] for key in named - run.levels.keys() if key in run.known_parents}
    above: dict[uuid.UUID, uuid.UUID | None] = {}
    wanted = set(ids.values())
    for _ in range(MAX_DEPTH):
        if not wanted:
            break
        above.update(Issue.objects.filter(pk__in=wanted).values_list("pk", "parent_id"))
        wanted = {parent for parent in above.values() if parent} - above.keys()
    for key, issue_id in ids.items():
        level, current = 1, above.get(issue_id)
        while current is not None and level <= MAX_DEPTH:
            level, current = level + 1, above.get(current)
        run.levels[key] = level


def _may_be_made(run: Importing, row: RowRecord, outcome: BatchOutcome) -> bool:
    parent = row.values.get("parent")
    level = run.levels.get(parent, 0) + 1 if parent else 1
    if level > MAX_DEPTH:
        outcome.refused.append((row.line, "parent", f"Issues may be nested at most {MAX_DEPTH} deep."))
        return False
    if parent and parent not in run.levels:
        outcome.left.append(("Parents that are not there", row.line))
    if row.key in run.parents:
        run.levels[row.key] = level
    return True


def _is_here(run: Importing, row: RowRecord, held: Mapping[int, Issue]) -> bool:
    """Whether the row is an issue of the project that the row goes to."""
    return row.line in held and held[row.line].project_id == run.places[row.project].project.pk


def _restore(run: Importing, rows: Sequence[RowRecord], held: Mapping[int, Issue]) -> None:
    """Take the issues of these rows, which an undo put into the trash, out of it.

    One that somebody has taken out meanwhile gets its external id back, too: else it came twice next time.
    """
    if run.is_dry_run or not rows:
        return
    moment, trashed = run.by.now, []
    for row in rows:
        issue = held[row.line]
        if issue.trashed_at is not None:
            trashed.append(issue)
            issue.trashed_at, issue.activity_at = None, max(moment, issue.activity_at)
        if issue.pk != row.issue_id and issue.external_id is None:
            issue.source, issue.external_id = run.source, row.external_id
    issues = [held[row.line] for row in rows]
    Issue.objects.bulk_update(issues, ["trashed_at", "activity_at", "source", "external_id"], batch_size=200)
    keys = {place.project.pk: place.project.key for place in run.places.values()}
    record_many(_restored(issue, keys[issue.project_id], by=run.by) for issue in trashed)


def restore_freed(freed: Mapping[str, uuid.UUID], *, by: Caller, source: str) -> set[uuid.UUID]:
    """Take issues that an undo put into the trash out of it, under their external ids; return their ids.

    One that somebody has taken out meanwhile gets its external id back alone. In the caller's transaction;
    locks the issues by id. That the caller may import there was settled before.
    """
    external_ids = {issue_id: external_id for external_id, issue_id in freed.items()}
    found = Issue.objects.filter(pk__in=external_ids, external_id__isnull=True).order_by("pk")
    issues = list(found.select_for_update(of=("self",)).select_related("project").defer("description"))
    trashed = [issue for issue in issues if issue.trashed_at is not None]
    for issue in trashed:
        issue.trashed_at, issue.activity_at = None, max(by.now, issue.activity_at)
    for issue in issues:
        issue.source, issue.external_id = source, external_ids[issue.pk]
    Issue.objects.bulk_update(issues, ["trashed_at", "activity_at", "source", "external_id"], batch_size=200)
    record_many(_restored(issue, issue.project.key, by=by) for issue in trashed)
    return {issue.pk for issue in trashed}


def _restored(issue: Issue, project_key: str, *, by: Caller) -> Event:
    return Event(
        verb="issue.restored", actor_id=by.actor.pk, source=by.source, cause_id=by.cause,
        at=issue.activity_at, request_id=by.request_id, project_id=issue.project_id, issue_id=issue.pk,
        issue_key=f"{project_key}-{issue.number}", version=issue.version,
    )  # fmt: skip


# --- issues that are here ------------------------------------------------------------------------------
def _update(
    run: Importing, rows: Sequence[RowRecord], held: Mapping[int, Issue], outcome: BatchOutcome
) -> None:
    if not rows:
        return
    own = [row for row in rows if row.issue_id == held[row.line].pk]
    states = _present(run, [held[row.line] for row in own]) | _brought(
        [held[row.line] for row in rows if row.issue_id != held[row.line].pk]
    )
    for row in rows:
        issue = held[row.line]
        if reason := _why_left(run, row, issue):
            outcome.left.append((reason, row.line))
            outcome.unchanged += 1
            continue
        place = run.places[row.project]
        told = {
            name: told_value(name, value, place, run.names)
            for name, value in row.values.items()
            if name != "reporter" and not (name == "parent" and value in run.pretended)
        }
        state = states.get(issue.pk, {})
        if run.is_own and (person := state.get("assignee")) and _is_named(row, person):
            told["assignee"] = person
        changes = differences(state, told)
        is_back = row.line in outcome.restored
        if is_back and not changes:
            outcome.arrived.append(Arrival(row, issue.pk, True, issue.version, issue.activity_at))  # noqa: FBT003
        elif not changes:
            outcome.unchanged += 1
        elif row.issue_id == issue.pk and row.updated_at and row.updated_at < issue.updated_at:
            outcome.left.append(("Issues that were changed here since the export", row.line))
            outcome.unchanged += 1
        else:
            _change(run, row, issue, changes, outcome)


def _is_named(row: RowRecord, person: Mapping[str, Any]) -> bool:
    """Whether a row of our own export means this person: it tells a name, which several may have."""
    return bool(row.values.get("assignee") == str(person["name"]).casefold())


def _why_left(run: Importing, row: RowRecord, issue: Issue) -> str:
    place = run.places[row.project]
    if issue.project_id != place.project.pk:
        return "Issues that are in another project (left as they are)"
    if issue.trashed_at is not None:
        return "Issues that are in the trash (left there)"
    return ""


def _change(
    run: Importing,
    row: RowRecord,
    issue: Issue,
    changes: Mapping[str, list[Any]],
    outcome: BatchOutcome,
) -> None:
    """Set what the table changed, by the way of everybody's changes. A refusal refuses this row alone."""
    sent = {name: _sent(name, pair[1]) for name, pair in changes.items()}
    if run.is_dry_run:
        outcome.arrived.append(Arrival(row, issue.pk, is_new=False, version=0, activity_at=run.by.now))
        return
    try:
        edited = edit_issue(issue.pk, by=run.by, changes=sent)
    except DomainError as refusal:
        name, texts = next(iter(getattr(refusal, "fields", {}).items()), ("", [refusal.message]))
        outcome.refused.append((row.line, name, texts[0]))
        return
    if edited.version == issue.version:
        outcome.unchanged += 1
        return
    is_back = row.line in outcome.restored
    outcome.arrived.append(Arrival(row, issue.pk, is_back, edited.version, edited.activity_at))


def _sent(name: str, told: Any) -> Any:
    """Return a told value in a form that `edit_issue` reads."""
    if isinstance(told, dict):
        return told["name"] if name in {"milestone", "cycle"} else told["id"]
    if told is None and name in {"description", "department"}:
        return ""
    return told


def _present(run: Importing, issues: Sequence[Issue]) -> dict[uuid.UUID, Told]:
    """Return what issues are now, in the form of events."""
    if not issues:
        return {}
    rows = issue_rows(
        Issue.objects.visible_to(run.by.user).filter(pk__in=[issue.pk for issue in issues]),
        user=run.by.user,
        description=True,
    )
    return {uuid.UUID(row["id"]): _told_row(row) for row in rows}


def _told_row(row: Mapping[str, Any]) -> Told:
    told = {name: row[name] for name in _OWN_FIELDS}
    return told | {
        "status": row["status"]["slug"],
        "description": row["description"] or None,
        "department": row["department"] or None,
    }


def _brought(issues: Sequence[Issue]) -> dict[uuid.UUID, Told]:
    """Return what imports brought of issues so far: what people changed since does not count."""
    events: dict[uuid.UUID, list[tuple[Any, Any]]] = defaultdict(list)
    rows = Event.objects.filter(issue_id__in=[issue.pk for issue in issues], source="import")
    for issue_id, data, changes in rows.order_by("at", "order").values_list("issue_id", "data", "changes"):
        if issue_id:
            events[issue_id].append((data, changes))
    return {issue_id: _fold(past) for issue_id, past in events.items()}


def _fold(past: Sequence[tuple[Any, Any]]) -> Told:
    state = fold(past)
    for data, changes in past:
        if "initial" in data:
            state["department"] = data["initial"].get("department")
        if "department" in changes:
            state["department"] = changes["department"][1]
    return state
