"""Who may do what with projects, issues and comments. Default deny.

An action is a permission that the role's group holds (`ROLE_PERMISSIONS` is what a fresh database
starts with) and, where the object matters, a rule here about whose it is. Whether something is seen at
all is decided before, in `issues.scope`.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from accounts.models import Role
from issues.catalog import StatusInfo, TransitionInfo
from issues.models import Attachment, Comment, Issue
from issues.scope import Scope
from tracker.errors import NotAllowed

_REPORTER = [
    "file_issue", "edit_own_text", "add_comment", "edit_own_comment", "delete_own_comment", "attach_file",
    "change_own_attachment",
]  # fmt: skip
_DEVELOPER = [
    *_REPORTER, "see_all_issues", "plan_new_issue", "work_on_issue", "read_internal", "write_internal",
    "create_label",
]  # fmt: skip
_MAINTAINER = [
    *_DEVELOPER, "choose_first_status", "manage_any_issue", "move_issue", "bulk_change", "import_issues",
    "delete_any_comment", "change_any_attachment", "create_project", "manage_project", "manage_labels",
    "see_user_activity",
]  # fmt: skip
_ADMIN = [*_MAINTAINER, "see_private_projects", "trash_issue", "migrate_projects"]

ROLE_PERMISSIONS: Mapping[str, Sequence[str]] = {
    Role.REPORTER: _REPORTER,
    Role.DEVELOPER: _DEVELOPER,
    Role.MAINTAINER: _MAINTAINER,
    Role.ADMIN: _ADMIN,
}

TEXT_FIELDS: Final = frozenset({"title", "description"})
FILING_FIELDS: Final = frozenset({"title", "description", "type", "severity", "department"})
PLANNING_FIELDS: Final = frozenset(
    {"priority", "assignee", "labels", "milestone", "cycle", "parent", "team", "estimate", "due_date"}
)
EDITABLE_FIELDS: Final = FILING_FIELDS | PLANNING_FIELDS | {"status"}


# --- issues ----------------------------------------------------------------------------------------
def settable_when_filing(scope: Scope) -> frozenset[str]:
    """Return the fields that may differ from their default in a new issue; empty: may not file."""
    if not scope.may("file_issue"):
        return frozenset()
    fields = FILING_FIELDS
    if scope.may("plan_new_issue"):
        fields |= PLANNING_FIELDS
    if scope.may("choose_first_status"):
        fields |= {"status"}
    return fields


def editable_fields(scope: Scope, issue: Issue, status: StatusInfo) -> frozenset[str]:
    """Return the fields of this issue that may be changed. `assignee` alone: only to oneself."""
    if scope.may("manage_any_issue") or (scope.may("work_on_issue") and _is_own_or_assigned(scope, issue)):
        return EDITABLE_FIELDS
    fields: frozenset[str] = frozenset()
    if scope.may("work_on_issue") and issue.assignee_id is None:
        fields |= {"assignee"}
    if scope.may("edit_own_text") and issue.reporter_id == scope.user_id and not status.is_closed:
        fields |= TEXT_FIELDS
    return fields


def may_only_take(scope: Scope, issue: Issue) -> bool:
    """Whether `assignee` may be changed, but only to oneself."""
    return not scope.may("manage_any_issue") and not _is_own_or_assigned(scope, issue)


def can_change_status(scope: Scope, issue: Issue) -> bool:
    """Along the workflow: any issue for who manages them, own and assigned for who works on them."""
    return scope.may("manage_any_issue") or (scope.may("work_on_issue") and _is_own_or_assigned(scope, issue))


def can_take(scope: Scope, transition: TransitionInfo) -> bool:
    """Whether the workflow leaves this step to the person's role."""
    return not transition.roles or scope.rights.role in transition.roles


def can_relate(scope: Scope, issue: Issue) -> bool:
    """Link an issue to another."""
    return can_change_status(scope, issue)


def can_move(scope: Scope) -> bool:
    """Move an issue to another visible project."""
    return scope.may("move_issue")


def can_bulk(scope: Scope) -> bool:
    """Change many issues at once, each as far as one alone may be changed."""
    return scope.may("bulk_change")


def can_trash(scope: Scope) -> bool:
    """Put issues in the trash, see it, restore from it."""
    return scope.may("trash_issue")


def _is_own_or_assigned(scope: Scope, issue: Issue) -> bool:
    return scope.user_id is not None and scope.user_id in {issue.reporter_id, issue.assignee_id}


# --- comments --------------------------------------------------------------------------------------
def can_comment(scope: Scope, *, internal: bool) -> bool:
    """Comment on an issue that one sees."""
    return scope.may("write_internal") if internal else scope.may("add_comment")


def can_edit_comment(scope: Scope, comment: Comment) -> bool:
    """Only one's own."""
    return scope.may("edit_own_comment") and comment.author_id == scope.user_id


def can_delete_comment(scope: Scope, comment: Comment) -> bool:
    """One's own, or any for who may."""
    return scope.may("delete_any_comment") or (
        scope.may("delete_own_comment") and comment.author_id == scope.user_id
    )


# --- attachments -----------------------------------------------------------------------------------
def can_attach(scope: Scope) -> bool:
    """Attach a file to an issue that one sees."""
    return scope.may("attach_file")


def can_change_attachment(scope: Scope, attachment: Attachment) -> bool:
    """Rename or delete one's own, or any for who may."""
    return scope.may("change_any_attachment") or (
        scope.may("change_own_attachment") and attachment.author_id == scope.user_id
    )


# --- projects --------------------------------------------------------------------------------------
def can_create_project(scope: Scope) -> bool:
    """Make a project."""
    return scope.may("create_project")


def can_manage_project(scope: Scope, project_id: uuid.UUID) -> bool:
    """Change a visible project, its workflow, milestones and cycles."""
    return scope.may("manage_project") and scope.sees_project(project_id)


def can_create_label(scope: Scope, project_id: uuid.UUID) -> bool:
    """Add a label to a visible project."""
    return (scope.may("create_label") or scope.may("manage_labels")) and scope.sees_project(project_id)


def can_manage_labels(scope: Scope, project_id: uuid.UUID) -> bool:
    """Change and delete labels of a visible project."""
    return scope.may("manage_labels") and scope.sees_project(project_id)


def can_migrate(scope: Scope) -> bool:
    """Import several projects with their authors and times."""
    return scope.may("migrate_projects")


def can_import(scope: Scope, project_id: uuid.UUID) -> bool:
    """Import issues into a visible project that one manages."""
    return scope.may("import_issues") and can_manage_project(scope, project_id)


def can_share(scope: Scope) -> bool:
    """Make somebody else a watcher, which lets a reporter see the issue."""
    return scope.may("manage_any_issue")


def require(*, allowed: bool, message: str = "", fields: Mapping[str, Any] | None = None) -> None:
    """Refuse with `NotAllowed` unless allowed; `fields` are those that were refused."""
    if not allowed:
        raise NotAllowed(message, fields={name: ["You may not set this field."] for name in fields or ()})
