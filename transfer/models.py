"""Runs of imports, and what each brought."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from issues.models import Project
from tracker.durable import Work


class ImportFormat(models.TextChoices):
    """What a file is."""

    CSV = "csv"
    JIRA = "jira"


class ImportMode(models.TextChoices):
    """What becomes of a file with bad rows: nothing, or all but them."""

    STRICT = "strict"
    LENIENT = "lenient"


class Import(Work):
    """One run of an import, and later its undo. Without a project it is an admin's migration.

    `done` counts the rows whose batch is committed: where the work goes on after a crash. `undone_by`: who
    asked for the undo. `is_told`: `last_error` is a sentence for who began the run, not for the log.
    """

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="imports")
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, null=True, blank=True, related_name="imports"
    )
    format = models.CharField(max_length=10, choices=ImportFormat)
    mode = models.CharField(max_length=10, choices=ImportMode, default=ImportMode.STRICT)
    dry_run = models.BooleanField(default=False)
    mapping = models.JSONField(default=dict)
    filename = models.CharField(max_length=255)
    file_name = models.CharField(max_length=64)
    request_id = models.CharField(max_length=64, blank=True, default="")
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    created = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    report = models.JSONField(default=dict)
    is_undo = models.BooleanField(default=False)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="undone_imports",
    )
    is_told = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.filename} {self.state}"


class ImportedIssue(models.Model):
    """What a run did to an issue. There is no foreign key: it outlives the purge of the issue.

    `version` and `activity_at` are the issue's as the run left it. `is_freed`: an undo put it into the trash,
    and the next run that brings `external_id` takes it out again.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="issues")
    issue_id = models.UUIDField()
    source = models.CharField(max_length=200)
    external_id = models.CharField(max_length=120)
    is_new = models.BooleanField()
    version = models.IntegerField()
    activity_at = models.DateTimeField()
    is_freed = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "issue_id"], name="imported_issue_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["source", "external_id"], name="imported_freed", condition=models.Q(is_freed=True)
            ),
            models.Index(fields=["issue_id"], name="imported_freed_issue", condition=models.Q(is_freed=True)),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} by {self.run_id}"
