"""The same change of many issues: each by the rules of one, all of them or none.

All issues are locked first, in the order of their ids; then each is changed by the code that changes one.
"""

import uuid
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db import transaction

from issues import policy
from issues.catalog import catalog
from issues.models import Issue
from issues.refs import IssueRef, find_issues, parse_uuid
from issues.scope import scope_of
from issues.services.comments import comment_on_locked
from issues.services.issues import Changes, edit_locked, lock_to_edit
from tracker.caller import Caller
from tracker.errors import Conflict, DomainError, IllegalTransition, Invalid, NotAllowed, NotFound
from tracker.versions import versions_of

MAX_ISSUES: Final = 500
# Of several refusals the first in the order of the contract names the whole.
_ORDER: Final[tuple[type[DomainError], ...]] = (NotFound, NotAllowed, Invalid, Conflict, IllegalTransition)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one issue. `ref`: its key before, or how it was named where it was not found."""

    ref: str
    issue_id: uuid.UUID | None = None
    key: str | None = None
    version: int | None = None
    version_before: int | None = None
    is_changed: bool = False
    error: DomainError | None = None

    def unwritten(self) -> "Outcome":
        """Return the outcome of an issue that stays as it was."""
        return replace(self, key=self.ref, version=self.version_before) if self.issue_id else self

    def row(self) -> dict[str, Any]:
        """Return the outcome as the API tells it."""
        named_id = self.issue_id or parse_uuid(self.ref)
        return {
            "id": str(named_id) if named_id else None,
            "key": self.key or (None if named_id else self.ref),
            "ok": self.error is None,
            "version": self.version,
            "error": None if self.error is None else _told(self.error),
        }


@dataclass(frozen=True, slots=True)
class BulkReport:
    """What became of all, in the order in which they were named."""

    outcomes: tuple[Outcome, ...]
    dry_run: bool

    def body(self) -> dict[str, Any]:
        """Return the report as the API tells it. `undo_url` is null as long as nothing can be undone."""
        done = [outcome for outcome in self.outcomes if outcome.error is None]
        changed = sum(outcome.is_changed for outcome in done)
        return {
            "updated": changed,
            "unchanged": len(done) - changed,
            "dry_run": self.dry_run,
            "results": [outcome.row() for outcome in self.outcomes],
            "undo_url": None,
        }


def change_many(
    refs: Sequence[IssueRef],
    *,
    by: Caller,
    changes: Changes,
    comment: str = "",
    atomic: bool = True,
    dry_run: bool = False,
) -> BulkReport:
    """Change the same fields of at most `MAX_ISSUES` issues, and comment on each.

    An issue that is named twice counts once. Locks all issues in the order of their ids. `atomic`: where one
    is refused none is changed, and that refusal is raised with `details.results`; a hidden or absent one as
    `Invalid`. Otherwise each has its outcome. `dry_run`: the same, and nothing stays; versions are those of
    now. Raises `NotAllowed` for who may not change many, `Invalid` for too many.
    """
    policy.require(allowed=policy.can_bulk(scope_of(by.user)), message="You may not change many issues.")
    with transaction.atomic():
        report = _change_all(refs, by=by, changes=changes, comment=comment, atomic=atomic)
        if atomic:
            _require_all(report.outcomes)
        if dry_run:
            transaction.set_rollback(True)
            report = BulkReport(tuple(outcome.unwritten() for outcome in report.outcomes), dry_run=True)
    return report


def _change_all(
    refs: Sequence[IssueRef], *, by: Caller, changes: Changes, comment: str, atomic: bool
) -> BulkReport:
    found = find_issues(refs, user=by.user, among=Issue.objects.visible_to(by.user))
    if len(found) > MAX_ISSUES:
        raise Invalid(fields={"issue_ids": [f"At most {MAX_ISSUES} issues; these are {len(found)}."]})
    issues = lock_to_edit({pk for pk in found.values() if pk is not None}, by=by, changes=changes)
    outcomes: dict[object, Outcome] = {}
    for ref, pk in found.items():
        if pk in outcomes:
            continue
        issue = issues.get(pk) if pk else None
        if issue is None:
            outcomes[pk or ref] = Outcome(str(ref), error=NotFound("There is no such issue."))
        else:
            outcomes[pk] = _change_one(issue, by=by, changes=changes, comment=comment, keeps=atomic)
    return BulkReport(tuple(outcomes.values()), dry_run=False)


def _change_one(issue: Issue, *, by: Caller, changes: Changes, comment: str, keeps: bool) -> Outcome:
    """Change one locked issue. `keeps`: what a refused one has written goes with everything else, so that
    it needs no savepoint of its own."""
    pk, before, key = issue.pk, issue.version, _key(issue, by=by)
    try:
        with nullcontext() if keeps else transaction.atomic():
            changed = edit_locked(issue, by=by, changes=changes)
            if comment:
                comment_on_locked(changed, by=by, body=comment)
    except _ORDER as refusal:
        return Outcome(key, pk, key, before, before, error=refusal)
    is_changed = issue.version != before or bool(comment)
    return Outcome(key, pk, _key(issue, by=by), issue.version, before, is_changed)


def _key(issue: Issue, *, by: Caller) -> str:
    return f"{catalog(versions_of(by.user)).projects[issue.project_id].key}-{issue.number}"


# --- refusals ----------------------------------------------------------------------------------------
def _require_all(outcomes: Iterable[Outcome]) -> None:
    """Raise the refusal that names the whole, with what became of each."""
    listed = list(outcomes)
    refused = [outcome for outcome in listed if outcome.error is not None]
    if not refused:
        return
    worst = min((outcome.error for outcome in refused if outcome.error), key=_rank)
    first = next(outcome for outcome in refused if outcome.error is worst)
    message = f"Nothing was changed: {len(refused)} of {len(listed)} were refused. {first.ref}: {worst}"
    details = {"results": [outcome.unwritten().row() for outcome in listed]}
    if isinstance(worst, NotFound):
        raise Invalid(message, fields={"issue_ids": ["There is no such issue."]}, details=details)
    if isinstance(worst, Invalid):
        raise Invalid(message, fields=worst.fields, details=details)
    refusal = type(worst)(message)
    refusal.details = {**worst.details, **details}
    raise refusal


def _rank(error: DomainError) -> int:
    return next(place for place, kind in enumerate(_ORDER) if isinstance(error, kind))


def _told(error: DomainError) -> dict[str, Any]:
    return {"error": error.code, "message": error.message, "details": error.details}
