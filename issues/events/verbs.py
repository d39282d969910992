"""Every verb of the event log: a closed set, each with its event name, sentence and payload.

Verbs of issues, comments and attachments are the stream; those of users, roles, teams, projects and
what hangs on them are the audit, which admins read and which never enters the stream. `docs/events.md`
is written from this table, and a test holds the two together.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class EventName(StrEnum):
    """The names under which the stream sends events."""

    ISSUE_CREATED = "ISSUE_CREATED"
    ISSUE_UPDATED = "ISSUE_UPDATED"
    ISSUE_DELETED = "ISSUE_DELETED"
    COMMENT_ADDED = "COMMENT_ADDED"
    COMMENT_UPDATED = "COMMENT_UPDATED"
    COMMENT_DELETED = "COMMENT_DELETED"
    ATTACHMENT_ADDED = "ATTACHMENT_ADDED"
    ATTACHMENT_UPDATED = "ATTACHMENT_UPDATED"
    ATTACHMENT_DELETED = "ATTACHMENT_DELETED"


@dataclass(frozen=True, slots=True)
class Verb:
    """One kind of event. `event` is None for the audit.

    The sentence follows the name of who acted; `{old}`, `{new}`, `{field}`, `{subject}` are filled by
    `issues.events.sentences`. `payload` says what `changes`, `subject_id` and `data` hold.
    """

    name: str
    event: EventName | None
    sentence: Text
    payload: str

    @property
    def is_audit(self) -> bool:
        """Whether only admins read it, in the audit view."""
        return self.event is None

    @property
    def is_comment(self) -> bool:
        """Whether its frames have a `comment`."""
        return self.name.startswith("comment.")


FIELDS: Final[dict[str, Text]] = {
    "title": _("title"),
    "description": _("description"),
    "type": _("type"),
    "status": _("status"),
    "severity": _("severity"),
    "priority": _("priority"),
    "assignee": _("assignee"),
    "labels": _("labels"),
    "milestone": _("milestone"),
    "cycle": _("cycle"),
    "parent": _("parent"),
    "estimate": _("estimate"),
    "due_date": _("due date"),
    "department": _("department"),
}
_FIELD_SENTENCES: Final[dict[str, Text]] = {
    "title": _("changed the title from “{old}” to “{new}”"),
    "description": _("changed the description"),
    "assignee": _("changed the assignee from {old} to {new}"),
    "labels": _("changed the labels from {old} to {new}"),
}
_FIELD_PAYLOADS: Final[dict[str, str]] = {
    "status": "`changes.status`: slugs; `data.categories`: the categories of both",
    "assignee": "`changes.assignee`: `{id, name}` or null; `data.sight`",
    "labels": "`changes.labels`: lists of names",
    "milestone": "`changes.milestone`: `{id, name}` or null",
    "cycle": "`changes.cycle`: `{id, name}` or null",
    "parent": "`changes.parent`: `{id, key}` or null",
}
_CHANGED: Final = _("changed the {field} from {old} to {new}")

ISSUE_UPDATED: Final = "issue.updated"
MOVED: Final = "issue.moved"
PLACE: Final = frozenset({"project", "key"})
"""What a move changes, beside the fields that change on the way."""
TRASHED: Final = "issue.trashed"


def verb_for_changes(fields: Collection[str]) -> str:
    """Return an edit's verb: `issue.moved`, `issue.<field>_changed` for one field, or `issue.updated`."""
    if "project" in fields:
        return MOVED
    if len(fields) == 1:
        (field,) = fields
        if field in FIELDS:
            return f"issue.{field}_changed"
    return ISSUE_UPDATED


def _field_verb(field: str) -> Verb:
    return Verb(
        f"issue.{field}_changed",
        EventName.ISSUE_UPDATED,
        _FIELD_SENTENCES.get(field, _CHANGED),
        _FIELD_PAYLOADS.get(field, f"`changes.{field}`: before and after"),
    )


_COMMENT = "`subject_id`: the comment; `internal` where it is"
_ATTACHMENT = "`subject_id`: the attachment; `changes.filename`: before and after"
_STREAM: Final = (
    Verb(
        "issue.created",
        EventName.ISSUE_CREATED,
        _("filed this issue"),
        "`data.initial`: the first values, but for the texts",
    ),
    Verb(
        "issue.imported",
        EventName.ISSUE_CREATED,
        _("filed this issue, which was imported"),
        "`data.initial`: the first values; `data.external_id`, `data.original`: as the other system had it",
    ),
    Verb("issue.restored", EventName.ISSUE_CREATED, _("restored this issue from the trash"), "none"),
    *(_field_verb(field) for field in FIELDS),
    Verb(
        ISSUE_UPDATED,
        EventName.ISSUE_UPDATED,
        _("changed {fields}"),
        "`changes`: each field, as its own verb has it",
    ),
    Verb(
        MOVED,
        EventName.ISSUE_UPDATED,
        _("moved this issue from {old} to {new}"),
        "`changes.project`, `changes.key`, and the fields that changed on the way; `data.sight`",
    ),
    Verb(
        "issue.merged",
        EventName.ISSUE_UPDATED,
        _("merged this issue into another"),
        "`data.into`: `{id, key}`",
    ),
    Verb(
        "issue.linked",
        EventName.ISSUE_UPDATED,
        _("linked this issue"),
        "`changes.relations`: `{type, issue: {id, key}}` or null",
    ),
    Verb(
        "issue.unlinked",
        EventName.ISSUE_UPDATED,
        _("removed a link"),
        "`changes.relations`: `{type, issue: {id, key}}` or null",
    ),
    Verb(TRASHED, EventName.ISSUE_DELETED, _("moved this issue to the trash"), "none"),
    Verb("issue.purged", EventName.ISSUE_DELETED, _("deleted this issue for good"), "`data.sight.before`"),
    Verb("comment.added", EventName.COMMENT_ADDED, _("commented"), _COMMENT),
    Verb("comment.edited", EventName.COMMENT_UPDATED, _("edited a comment"), _COMMENT),
    Verb("comment.deleted", EventName.COMMENT_DELETED, _("deleted a comment"), _COMMENT),
    Verb("attachment.added", EventName.ATTACHMENT_ADDED, _("attached {new}"), _ATTACHMENT),
    Verb(
        "attachment.renamed", EventName.ATTACHMENT_UPDATED, _("renamed the file {old} to {new}"), _ATTACHMENT
    ),
    Verb("attachment.deleted", EventName.ATTACHMENT_DELETED, _("deleted the file {old}"), _ATTACHMENT),
)


def _audit(name: str, sentence: Text, payload: str = "`subject_id`; `changes`: before and after") -> Verb:
    return Verb(name, None, sentence, payload)


_MEMBER = "`subject_id`: the team; `data.user`"
_AUDIT: Final = (
    _audit("user.created", _("created an account")),
    _audit("user.changed", _("changed an account")),
    _audit("user.role_changed", _("changed the role from {old} to {new}")),
    _audit("user.deactivated", _("deactivated an account")),
    _audit("user.activated", _("activated an account")),
    _audit("user.password_changed", _("changed the password"), "`subject_id`"),
    _audit(
        "role.permissions_changed",
        _("changed the permissions of a role"),
        "`data.role`; `changes.permissions`",
    ),
    _audit("team.created", _("created a team")),
    _audit("team.changed", _("changed a team")),
    _audit("team.deleted", _("deleted a team")),
    _audit("team.member_added", _("added a member to a team"), _MEMBER),
    _audit("team.member_changed", _("changed a member of a team"), _MEMBER),
    _audit("team.member_removed", _("removed a member from a team"), _MEMBER),
    _audit("project.created", _("created a project")),
    _audit("project.updated", _("changed a project")),
    _audit("project.visibility_changed", _("changed who sees a project")),
    _audit("project.archived", _("archived a project")),
    _audit("project.restored", _("restored a project from the archive")),
    _audit("workflow.changed", _("changed a workflow"), "`project_id`; `changes`: statuses and transitions"),
    *(
        _audit(f"{noun}.{verb}", sentence)
        for noun, sentences in (
            ("label", (_("created a label"), _("changed a label"), _("deleted a label"))),
            ("milestone", (_("created a milestone"), _("changed a milestone"), _("deleted a milestone"))),
            ("cycle", (_("created a cycle"), _("changed a cycle"), _("deleted a cycle"))),
        )
        for verb, sentence in zip(("created", "updated", "deleted"), sentences, strict=True)
    ),
    _audit("watcher.added", _("added a watcher"), "`issue_id`; `subject_id`: the person"),
    _audit("watcher.removed", _("removed a watcher"), "`issue_id`; `subject_id`: the person"),
)

VERBS: Final[dict[str, Verb]] = {verb.name: verb for verb in (*_STREAM, *_AUDIT)}
STREAM_VERBS: Final = frozenset(verb.name for verb in _STREAM)
AUDIT_VERBS: Final = frozenset(verb.name for verb in _AUDIT)


def is_audit(verb: str) -> bool:
    """Whether an event of this verb stays out of the issue stream."""
    return verb not in STREAM_VERBS
