"""Relations that an import brings. They are part of the arrival of issues that come with them; between issues
that were here before each is an event, as when a person makes it."""

import uuid
from collections.abc import Collection, Mapping, Sequence

from django.db.models import Q

from issues.models import Issue, Relation, RelationType
from issues.services.migration_records import RelationRecord
from issues.services.relations import OTHER_SIDE
from tracker.caller import Caller
from tracker.events.record import record_many
from tracker.models import Event

Edge = tuple[str, uuid.UUID, uuid.UUID]


def link_imported(
    records: Sequence[RelationRecord],
    *,
    by: Caller,
    ids: Mapping[str, uuid.UUID],
    created: Collection[uuid.UUID],
    dry_run: bool,
) -> tuple[int, set[uuid.UUID]]:
    """Make the relations that are not there yet; return how many, and which issues from before got one.

    One that would close a circle is made the looser `relates_to`.
    """
    edges = dict.fromkeys((each.type, ids[each.source], ids[each.target]) for each in records)
    if not edges:
        return 0, set()
    held = _held({end for edge in edges for end in edge[1:]})
    fresh: list[Relation] = []
    for kind, source, target in edges:
        if _is_held((kind, source, target), held):
            continue
        if (
            kind != RelationType.RELATES_TO
            and not {source, target} <= set(created)
            and _leads(kind, target, source)
        ):
            kind = RelationType.RELATES_TO.value
            if _is_held((kind, source, target), held):
                continue
        held.add((kind, source, target))
        fresh.append(Relation(source_id=source, target_id=target, type=kind, created_at=by.now))
    told = [each for each in fresh if not {each.source_id, each.target_id} <= set(created)]
    touched = {end for each in told for end in (each.source_id, each.target_id)} - set(created)
    if not dry_run:
        Relation.objects.bulk_create(fresh)
        record_many(_events(told, by=by))
    return len(fresh), touched


def _held(ends: Collection[uuid.UUID]) -> set[Edge]:
    rows = Relation.objects.filter(Q(source__in=ends) | Q(target__in=ends))
    return set(rows.values_list("type", "source_id", "target_id"))


def _is_held(edge: Edge, held: Collection[Edge]) -> bool:
    kind, source, target = edge
    return edge in held or (kind == RelationType.RELATES_TO and (kind, target, source) in held)


def _leads(kind: str, start: uuid.UUID, goal: uuid.UUID) -> bool:
    seen: set[uuid.UUID] = set()
    level = {start}
    while level:
        if goal in level:
            return True
        seen |= level
        level = (
            set(Relation.objects.filter(type=kind, source__in=level).values_list("target_id", flat=True))
            - seen
        )
    return False


def _events(relations: Sequence[Relation], *, by: Caller) -> list[Event]:
    ends = {end for each in relations for end in (each.source_id, each.target_id)}
    issues = {issue.pk: issue for issue in Issue.objects.filter(pk__in=ends).select_related("project")}
    events = []
    for relation in relations:
        kind = RelationType(relation.type)
        source, target = issues[relation.source_id], issues[relation.target_id]
        for issue, other, word in ((source, target, kind.value), (target, source, OTHER_SIDE[kind])):
            told = {
                "type": word,
                "issue": {"id": str(other.pk), "key": f"{other.project.key}-{other.number}"},
            }
            events.append(
                Event(
                    verb="issue.linked", actor_id=by.actor.pk, source=by.source, at=by.now,
                    request_id=by.request_id, project_id=issue.project_id, issue_id=issue.pk,
                    issue_key=f"{issue.project.key}-{issue.number}", version=issue.version,
                    subject_id=relation.pk, changes={"relations": [None, told]},
                )
            )  # fmt: skip
    return events
