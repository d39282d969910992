"""The issue and what belongs to it alone."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models

from issues.models.choices import IssueType, Priority, RelationType, Severity
from issues.models.project import Cycle, Label, Milestone, Project
from issues.models.workflow import Status
from issues.querysets import CommentQuerySet, IssueQuerySet
from tracker.clock import now
from tracker.ids import new_id


class Issue(models.Model):
    """A piece of work. Written by `issues.services` alone; `version` counts its own fields."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="issues")
    number = models.IntegerField()
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    type = models.CharField(max_length=10, choices=IssueType, default=IssueType.TASK)
    status = models.ForeignKey(Status, on_delete=models.PROTECT, related_name="issues")
    severity = models.SmallIntegerField(choices=Severity, default=Severity.MEDIUM)
    priority = models.SmallIntegerField(choices=Priority, default=Priority.NONE)
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reported_issues"
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned_issues",
    )
    labels = models.ManyToManyField(Label, through="IssueLabel", related_name="issues")
    milestone = models.ForeignKey(
        Milestone, on_delete=models.PROTECT, null=True, blank=True, related_name="issues"
    )
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, null=True, blank=True, related_name="issues")
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    team = models.ForeignKey(
        "accounts.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="issues"
    )
    estimate = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    due_date = models.DateField(null=True, blank=True)
    department = models.CharField(max_length=100, blank=True, default="")
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField(default=now)
    updated_at = models.DateTimeField(default=now)
    activity_at = models.DateTimeField(default=now)
    started_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    trashed_at = models.DateTimeField(null=True, blank=True)
    project_archived_at: datetime | None  # only on rows that `issues.services.activity.locked` returned
    source = models.CharField(max_length=200, blank=True, default="")
    external_id = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001  NULL keeps it out of the unique constraint

    objects = IssueQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("file_issue", "File issues"),
            ("plan_new_issue", "Set planning fields when filing"),
            ("choose_first_status", "File an issue with another first status"),
            ("see_all_issues", "See every issue of visible projects"),
            ("edit_own_text", "Edit title and description of own issues"),
            ("work_on_issue", "Change own and assigned issues and take unassigned ones"),
            ("manage_any_issue", "Change any issue of visible projects"),
            ("move_issue", "Move and merge issues"),
            ("trash_issue", "Trash, see the trash and restore"),
            ("bulk_change", "Change many issues at once"),
            ("import_issues", "Import issues into visible projects"),
            ("migrate_projects", "Import projects with other authors and times"),
            ("see_user_activity", "See the activity of users in reports"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "number"], name="issue_number_once"),
            models.UniqueConstraint(fields=["source", "external_id"], name="issue_external_once"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="issue_number_positive"),
            models.CheckConstraint(condition=~models.Q(title=""), name="issue_has_title"),
            models.CheckConstraint(
                condition=models.Q(estimate__isnull=True)
                | models.Q(estimate__gte=Decimal(0), estimate__lte=Decimal(10_000)),
                name="issue_estimate_range",
            ),
            models.CheckConstraint(
                condition=models.Q(severity__in=Severity.values), name="issue_severity_known"
            ),
            models.CheckConstraint(
                condition=models.Q(priority__in=Priority.values), name="issue_priority_known"
            ),
            models.CheckConstraint(condition=models.Q(type__in=IssueType.values), name="issue_type_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["project", "-created_at", "-id"], name="issue_project_created"),
            models.Index(fields=["project", "status", "-created_at", "-id"], name="issue_status_created"),
            models.Index(
                fields=["project", "assignee", "status", "-created_at", "-id"], name="issue_proj_assignee"
            ),
            models.Index(fields=["assignee", "-created_at", "-id"], name="issue_assignee_created"),
            models.Index(fields=["reporter", "-created_at", "-id"], name="issue_reporter_created"),
            models.Index(fields=["-created_at", "-id"], name="issue_created"),
            models.Index(fields=["project", "-updated_at", "-id"], name="issue_project_updated"),
            models.Index(fields=["-updated_at", "-id"], name="issue_updated"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class IssueLabel(models.Model):
    """A label on an issue."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="issue_labels")
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="issue_labels")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["issue", "label"], name="issue_label_once")]

    def __str__(self) -> str:
        return f"{self.label_id} on {self.issue_id}"


class IssueAlias(models.Model):
    """A key that an issue had before it was moved."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=40, unique=True)
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="aliases")

    def __str__(self) -> str:
        return self.key


class Watcher(models.Model):
    """A person who follows an issue; a reporter who watches an issue sees it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="watchers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watched")
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["issue", "user"], name="watcher_once")]
        indexes: ClassVar = [models.Index(fields=["user", "issue"], name="watcher_user")]

    def __str__(self) -> str:
        return f"{self.user_id} watches {self.issue_id}"


class Relation(models.Model):
    """`source` blocks, duplicates or relates to `target`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="relations_out")
    target = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="relations_in")
    type = models.CharField(max_length=12, choices=RelationType)
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "target", "type"], name="relation_once"),
            models.CheckConstraint(
                condition=~models.Q(source=models.F("target")), name="relation_not_to_itself"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.type} {self.target_id}"


class Comment(models.Model):
    """What somebody wrote on an issue. Internal ones are hidden from reporters.
    A deleted one that has answers stays as an empty row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="comments")
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="answers"
    )
    body = models.TextField()
    internal = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now)
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    external_id = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001  NULL keeps it out of the unique constraint

    objects = CommentQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("add_comment", "Comment where one sees the issue"),
            ("read_internal", "Read internal comments"),
            ("write_internal", "Write internal comments"),
            ("edit_own_comment", "Edit own comments"),
            ("delete_own_comment", "Delete own comments"),
            ("delete_any_comment", "Delete any comment"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issue", "external_id"], name="comment_external_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["issue", "created_at", "id"], name="comment_issue")]

    def __str__(self) -> str:
        return f"comment {self.id}"
