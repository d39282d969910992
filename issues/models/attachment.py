"""A file on an issue."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from issues.models.issue import Issue
from issues.querysets import AttachmentQuerySet
from tracker.clock import now
from tracker.durable import Work
from tracker.ids import new_id


class AttachmentState(models.TextChoices):
    """Whether the file can be read: `pending` is being checked, `infected` was refused."""

    READY = "ready"
    PENDING = "pending"
    INFECTED = "infected"


class Attachment(models.Model):
    """A file on an issue, known by its content. `key` is where the storage has it, at random."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="attachments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="attachments")
    filename = models.CharField(max_length=200)
    size_bytes = models.BigIntegerField()
    content_type = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=AttachmentState, default=AttachmentState.READY)
    key = models.CharField(max_length=100, unique=True)
    thumbnail_key = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField(default=now)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("attach_file", "Attach files where one sees the issue"),
            ("change_own_attachment", "Rename and delete own attachments"),
            ("change_any_attachment", "Rename and delete any attachment"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state__in=AttachmentState.values), name="attachment_state_known"
            ),
            models.CheckConstraint(condition=models.Q(size_bytes__gte=0), name="attachment_size_whole"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["issue", "created_at", "id"], name="attachment_issue"),
            models.Index(fields=["thumbnail_key"], name="attachment_thumbnail"),
        ]

    def __str__(self) -> str:
        return self.filename


class Thumbnail(Work):
    """The work of making an image's thumbnail; what was made is known by the attachment's `thumbnail_key`."""

    attachment = models.OneToOneField(Attachment, on_delete=models.CASCADE, related_name="thumbnail")

    class Meta(Work.Meta):
        """Keeps the index by which due rows are found."""

    def __str__(self) -> str:
        return f"thumbnail of {self.attachment_id}: {self.state}"
