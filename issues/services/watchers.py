"""Watchers: everybody watches for themselves what they see; a maintainer shares an issue with another person.

A reporter who watches an issue sees it, so taking them off hides it again: readers of the live stream
look at the watchers of each event. Watching is no change of the issue and not in its stream;
the audit has it.
"""

import uuid

from django.db import transaction

from accounts.models import User
from issues import policy
from issues.catalog import catalog
from issues.models import Issue, Watcher
from issues.refs import IssueRef
from issues.scope import scope_of
from issues.services.activity import require_active
from issues.services.issues import lock_issue, moment_of
from tracker.caller import Caller
from tracker.errors import Invalid
from tracker.events.record import record
from tracker.versions import remember, versions_of


@transaction.atomic
def watch_issue(ref: IssueRef, *, by: Caller) -> None:
    """Follow an issue; nothing happens where one does. Locks the issue. Raises `NotFound`, `Conflict`."""
    _add(lock_issue(ref, by=by), by.actor.pk, by=by)


@transaction.atomic
def unwatch_issue(ref: IssueRef, *, by: Caller) -> None:
    """Follow an issue no longer. Locks the issue. Raises `NotFound`, `Conflict`."""
    _remove(lock_issue(ref, by=by), by.actor.pk, by=by)


@transaction.atomic
def share_issue(ref: IssueRef, *, by: Caller, person: User) -> None:
    """Make another person a watcher, so that they see the issue. Locks the issue.

    Raises `NotFound`, `NotAllowed`, `Invalid` for who is not active or does not see the project, `Conflict`.
    """
    issue = lock_issue(ref, by=by)
    _require_sharing(person, by=by)
    remember(person, versions_of(by.user))
    if not scope_of(person).sees_project(issue.project_id):
        raise Invalid(fields={"user": ["There is no active person of this name who sees the project."]})
    _add(issue, person.pk, by=by)


@transaction.atomic
def unshare_issue(ref: IssueRef, *, by: Caller, person: User) -> None:
    """Take another person off the watchers. Locks the issue. Raises `NotFound`, `NotAllowed`, `Conflict`."""
    issue = lock_issue(ref, by=by)
    _require_sharing(person, by=by)
    _remove(issue, person.pk, by=by)


def _require_sharing(person: User, *, by: Caller) -> None:
    allowed = person.pk == by.user.pk or policy.can_share(scope_of(by.user))
    policy.require(allowed=allowed, message="You may change only your own watching.")


def _add(issue: Issue, person_id: uuid.UUID, *, by: Caller) -> None:
    if not Watcher.objects.filter(issue=issue, user_id=person_id).exists():
        require_active(issue)
        Watcher.objects.create(issue=issue, user_id=person_id, created_at=by.now)
        _tell(issue, person_id, by=by, verb="watcher.added")


def _remove(issue: Issue, person_id: uuid.UUID, *, by: Caller) -> None:
    if Watcher.objects.filter(issue=issue, user_id=person_id).exists():
        require_active(issue)
        Watcher.objects.filter(issue=issue, user_id=person_id).delete()
        _tell(issue, person_id, by=by, verb="watcher.removed")


def _tell(issue: Issue, person_id: uuid.UUID, *, by: Caller, verb: str) -> None:
    issue.activity_at = moment_of(issue, by=by)
    issue.save(update_fields=["activity_at"])
    project = catalog(versions_of(by.user)).projects[issue.project_id]
    record(
        by=by,
        verb=verb,
        project_id=issue.project_id,
        issue_id=issue.pk,
        issue_key=f"{project.key}-{issue.number}",
        subject_id=person_id,
    )
