"""Where imported issues land: projects with statuses, labels, milestones and cycles, made where they lack."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction
from django.db.models.functions import Greatest

from issues.models import (
    Category,
    Cycle,
    CycleState,
    Label,
    Milestone,
    MilestoneState,
    Project,
    Status,
    Transition,
)
from issues.services.migration_records import ProjectRecord, StatusRecord
from issues.services.presets import COLORS
from issues.services.projects import create_project
from issues.services.workflows import replace_workflow
from tracker.caller import Caller
from tracker.errors import Conflict
from tracker.events.record import record_many
from tracker.models import Event
from tracker.versions import CATALOG, bump

_RANK = {category.value: rank for rank, category in enumerate(Category)}
_Row = TypeVar("_Row", Label, Milestone, Cycle)


@dataclass(frozen=True, slots=True)
class PlaceStatus:
    """A status of the project here."""

    id: uuid.UUID
    slug: str
    category: str


@dataclass(slots=True)
class Place:
    """A project and what its issues can have, by folded names."""

    project: Project
    statuses: dict[str, PlaceStatus] = field(default_factory=dict)
    slugs: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    milestones: dict[str, Milestone] = field(default_factory=dict)
    cycles: dict[str, Cycle] = field(default_factory=dict)
    label_names: dict[str, str] = field(default_factory=dict)
    initial: str = ""

    def status(self, slug: str) -> PlaceStatus | None:
        """Return the project's status for a slug of the records; None for one that only histories name."""
        return self.statuses.get(self.slugs.get(slug, slug))

    def label_name(self, name: str) -> str:
        """Return a label's name as the project writes it; one that it lacks keeps its first writing."""
        folded = name.casefold()
        label = self.labels.get(folded)
        return label.name if label else self.label_names.setdefault(folded, name)


@transaction.atomic
def ensure_place(record: ProjectRecord, *, by: Caller, highest: int, dry_run: bool) -> Place:
    """Return the place of a project's issues, with everything made that its issues have.

    `highest`: the highest number that the import brings; those that the project gives go on above it. A dry
    run makes nothing: what would be made is in the place without being stored. Raises `Conflict` where the
    project is archived.
    """
    project = Project.objects.filter(key=record.key).first()
    if project is not None and project.is_archived:
        raise Conflict(f"Project {record.key} is archived and can only be read.")
    is_new = project is None
    if project is None:
        project = _new_project(record, by=by, dry_run=dry_run)
    place = Place(project)
    _take_statuses(place, record, by=by, is_new=is_new, dry_run=dry_run)
    made: list[Label | Milestone | Cycle] = [
        *_missing(
            place.labels, Label, project, (Label(project=project, name=name) for name in record.labels)
        ),
        *_missing(place.milestones, Milestone, project, _milestones(project, record)),
        *_missing(place.cycles, Cycle, project, _cycles(project, record, by=by)),
    ]
    if not dry_run:
        _store(project, made, by=by)
        Project.objects.filter(pk=project.pk, next_number__lte=highest).update(
            next_number=Greatest("next_number", highest + 1)
        )
    return place


def _new_project(record: ProjectRecord, *, by: Caller, dry_run: bool) -> Project:
    if dry_run:
        return Project(key=record.key, name=record.name, lead=by.user)
    return create_project(by=by, key=record.key, name=record.name, lead=by.user)


# --- workflow ----------------------------------------------------------------------------------------
def _take_statuses(place: Place, record: ProjectRecord, *, by: Caller, is_new: bool, dry_run: bool) -> None:
    """Let the workflow have every status of the record, with steps from and to all others."""
    held = [] if is_new else list(Status.objects.filter(project=place.project).order_by("position", "id"))
    by_name = {status.name.casefold(): status.slug for status in held}
    slugs = {status.slug for status in held}
    missing: dict[str, StatusRecord] = {}
    for status in record.statuses:
        if status.name.casefold() in by_name:
            place.slugs[status.slug] = by_name[status.name.casefold()]
        elif status.slug not in slugs:
            missing.setdefault(status.slug, status)
    if missing or is_new:
        rows = _workflow_rows(held, list(missing.values()))
        if not dry_run:
            _replace_workflow(place.project, held, rows, by=by)
            rows = list(Status.objects.filter(project=place.project).order_by("position", "id"))
        held = rows
    place.statuses = {status.slug: PlaceStatus(status.pk, status.slug, status.category) for status in held}
    place.initial = next((status.slug for status in held if status.is_initial), held[0].slug)


def _workflow_rows(held: list[Status], missing: list[StatusRecord]) -> list[Status]:
    """Return the statuses that there will be, in the order of the work; new issues need one to begin with."""
    rows = held + [Status(slug=each.slug, name=each.name, category=each.category) for each in missing]
    waiting = {Category.BACKLOG, Category.UNSTARTED}
    if not any(row.category in waiting for row in rows):
        rows.append(Status(slug="open", name="Open", category=Category.UNSTARTED))
    return sorted(rows, key=lambda row: _RANK[row.category]) if not held else rows


def _replace_workflow(project: Project, held: list[Status], rows: list[Status], *, by: Caller) -> None:
    initial = next((row.slug for row in held if row.is_initial), rows[0].slug)
    if not held:
        unstarted = [row.slug for row in rows if row.category == Category.UNSTARTED]
        initial = "open" if "open" in unstarted else (unstarted or [rows[0].slug])[0]
    kept = {row.slug for row in held}
    steps = [
        {
            "from": step.from_status.slug,
            "to": step.to_status.slug,
            "roles": step.roles,
            "requires": step.requires,
        }
        for step in Transition.objects.filter(project=project).select_related("from_status", "to_status")
        if {step.from_status.slug, step.to_status.slug} <= kept
    ]
    steps += [
        {"from": source.slug, "to": target.slug}
        for source in rows
        for target in rows
        if source is not target and not {source.slug, target.slug} <= kept
    ]
    replace_workflow(
        project.pk,
        by=by,
        initial=initial,
        statuses=[
            {
                "slug": row.slug,
                "name": row.name,
                "category": row.category,
                "color": row.color if row.slug in kept else COLORS[row.category],
            }
            for row in rows
        ],
        transitions=steps,
    )


# --- labels, milestones, cycles ----------------------------------------------------------------------
def _missing(
    held: dict[str, _Row], model: type[_Row], project: Project, wanted: Iterable[_Row]
) -> list[_Row]:
    """Fill `held` with the project's rows by folded name and return those that have to be made."""
    rows: Any = model._default_manager.filter(project_id=project.pk)
    held.update((row.name.casefold(), row) for row in rows)
    made = []
    for row in wanted:
        folded = row.name.casefold()
        if folded not in held:
            held[folded] = row
            made.append(row)
    return made


def _milestones(project: Project, record: ProjectRecord) -> Iterable[Milestone]:
    for each in record.milestones:
        state = MilestoneState.CLOSED if each.is_closed else MilestoneState.OPEN
        yield Milestone(project=project, name=each.name, due_date=each.due_date, state=state)


def _cycles(project: Project, record: ProjectRecord, *, by: Caller) -> Iterable[Cycle]:
    last = (
        Cycle.objects.filter(project_id=project.pk)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
        or 0
    )
    named = {
        name.casefold() for name in Cycle.objects.filter(project_id=project.pk).values_list("name", flat=True)
    }
    fresh = [each for each in record.cycles if each.name.casefold() not in named]
    fresh.sort(key=lambda each: (each.starts_on or by.now.date(), each.name))
    for number, each in enumerate(fresh, last + 1):
        starts_on = each.starts_on or each.ends_on or by.now.date()
        ends_on = max(each.ends_on or starts_on, starts_on)
        yield Cycle(
            project=project, number=number, name=each.name, starts_on=starts_on, ends_on=ends_on,
            state=CycleState(each.state),
        )  # fmt: skip


def _store(project: Project, made: list[Label | Milestone | Cycle], *, by: Caller) -> None:
    """Write the new rows, each with its event in the audit."""
    if not made:
        return
    for model in (Label, Milestone, Cycle):
        rows: Any = [row for row in made if isinstance(row, model)]
        if rows:
            model._default_manager.bulk_create(rows, batch_size=500)
    record_many(
        [
            Event(
                verb=f"{type(row).__name__.lower()}.created", actor_id=by.actor.pk, source=by.source,
                at=by.now, request_id=by.request_id, project_id=project.pk, subject_id=row.pk,
                changes={"name": [None, row.name]},
            )
            for row in made
        ]
    )  # fmt: skip
    bump(CATALOG, by=by)


def places_by_key(places: Iterable[Place]) -> Mapping[str, Place]:
    """Return places by the key of their project."""
    return {place.project.key: place for place in places}
