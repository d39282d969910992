"""Relations between issues: a link is told on both of them.

`blocked_by` and `duplicated_by` are the other side of `blocks` and `duplicates` and stored as those;
`relates_to` is one link whichever side made it.
"""

import uuid
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from issues import policy
from issues.catalog import catalog
from issues.models import Issue, Relation, RelationType
from issues.refs import IssueRef, find_issue
from issues.scope import scope_of
from issues.services.activity import locked, require_active
from issues.services.issues import moment_of
from tracker.caller import Caller
from tracker.errors import Conflict, Invalid, NotFound
from tracker.events.record import record
from tracker.versions import versions_of

INVERSE: Final = {
    "blocked_by": RelationType.BLOCKS,
    "duplicated_by": RelationType.DUPLICATES,
}
OTHER_SIDE: Final = {
    RelationType.BLOCKS: "blocked_by",
    RelationType.DUPLICATES: "duplicated_by",
    RelationType.RELATES_TO: "relates_to",
}
TYPES: Final = (*RelationType.values, *INVERSE)
_BLOCKS_LOCK: Final = 0x626C6F636B73


@transaction.atomic
def link_issues(ref: IssueRef, *, by: Caller, type: str, other: IssueRef) -> Relation:
    """Relate an issue to another that the caller sees; a relation that is there is returned as it is.

    Locks both issues. Raises `NotFound` (issue), `NotAllowed`, `Invalid` (type, other issue), and
    `Conflict` for an archived project or a circle of `blocks`.
    """
    visible = Issue.objects.visible_to(by.user)
    issue = find_issue(ref, user=by.user, among=visible)
    policy.require(
        allowed=policy.can_relate(scope_of(by.user), issue), message="You may not relate this issue."
    )
    if type not in TYPES:
        raise Invalid(fields={"type": [f"One of {', '.join(TYPES)}."]})
    try:
        target = find_issue(other, user=by.user, among=visible)
    except NotFound:
        raise Invalid(fields={"issue": ["There is no such issue."]}) from None
    if target.pk == issue.pk:
        raise Invalid(fields={"issue": ["An issue cannot be related to itself."]})
    issue, target = _lock_both(issue.pk, target.pk, by=by)
    stored = RelationType(INVERSE.get(type, type))
    source, end = (target, issue) if type in INVERSE else (issue, target)
    held = _held(source, end, stored)
    if held is not None:
        return held
    _require_no_circle(source, end, stored)
    relation = Relation.objects.create(source=source, target=end, type=stored, created_at=by.now)
    _tell(relation, source, end, by=by, linked=True)
    return relation


@transaction.atomic
def unlink_issues(ref: IssueRef, relation_id: uuid.UUID, *, by: Caller) -> None:
    """Take a relation of this issue away. Locks both issues.

    Raises `NotFound` also where the other issue is hidden from the caller, `NotAllowed`, `Conflict`.
    """
    issue = find_issue(ref, user=by.user, among=Issue.objects.visible_to(by.user))
    relation = Relation.objects.filter(Q(source=issue) | Q(target=issue), pk=relation_id).first()
    if relation is None:
        raise NotFound
    other_id = relation.target_id if relation.source_id == issue.pk else relation.source_id
    if not Issue.objects.visible_to(by.user).filter(pk=other_id).exists():
        raise NotFound
    policy.require(
        allowed=policy.can_relate(scope_of(by.user), issue), message="You may not relate this issue."
    )
    issue, other = _lock_both(issue.pk, other_id, by=by)
    gone, _ = Relation.objects.filter(pk=relation.pk).delete()
    if gone:
        source, end = (issue, other) if relation.source_id == issue.pk else (other, issue)
        _tell(relation, source, end, by=by, linked=False)


def _lock_both(first: uuid.UUID, second: uuid.UUID, *, by: Caller) -> tuple[Issue, Issue]:
    both = Issue.objects.visible_to(by.user).filter(pk__in=[first, second]).order_by("pk")
    found = {issue.pk: issue for issue in locked(both)}
    if len(found) != 2:
        raise NotFound
    for issue in found.values():
        require_active(issue)
    return found[first], found[second]


def _held(source: Issue, target: Issue, kind: RelationType) -> Relation | None:
    either = Q(source=source, target=target)
    if kind == RelationType.RELATES_TO:
        either |= Q(source=target, target=source)
    return Relation.objects.filter(either, type=kind).first()


def _require_no_circle(source: Issue, target: Issue, kind: RelationType) -> None:
    """Refuse where `target` already leads to `source`. One at a time on PostgreSQL, so that two links that
    are made at once see each other; SQLite has one writer anyway."""
    if kind == RelationType.RELATES_TO:
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_BLOCKS_LOCK])
    seen: set[uuid.UUID] = set()
    level = {target.pk}
    while level:
        if source.pk in level:
            raise Conflict(f"That would be a circle of “{kind.label}”.")
        seen |= level
        level = (
            set(Relation.objects.filter(type=kind, source__in=level).values_list("target_id", flat=True))
            - seen
        )


def _tell(relation: Relation, source: Issue, target: Issue, *, by: Caller, linked: bool) -> None:
    projects = catalog(versions_of(by.user)).projects
    keys = {issue.pk: f"{projects[issue.project_id].key}-{issue.number}" for issue in (source, target)}
    kind = RelationType(relation.type)
    for issue, other, word in ((source, target, kind.value), (target, source, OTHER_SIDE[kind])):
        issue.activity_at = moment_of(issue, by=by)
        issue.save(update_fields=["activity_at"])
        told = {"type": word, "issue": {"id": str(other.pk), "key": keys[other.pk]}}
        record(
            by=by,
            verb="issue.linked" if linked else "issue.unlinked",
            project_id=issue.project_id,
            issue_id=issue.pk,
            issue_key=keys[issue.pk],
            version=issue.version,
            subject_id=relation.pk,
            changes={"relations": [None, told] if linked else [told, None]},
            at=issue.activity_at,
        )
