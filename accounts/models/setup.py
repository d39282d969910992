"""The link by which a new installation gets its first people."""

from typing import ClassVar

from django.db import models

from tracker.clock import now
from tracker.ids import new_id


class SetupState(models.TextChoices):
    """What became of a link."""

    OPEN = "open"
    FILLING = "filling", "sample data is being filled in"
    USED = "used"


class SetupLink(models.Model):
    """A one-time link that makes the first admin, or fills in sample data; only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=SetupState, default=SetupState.OPEN)
    error = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=now)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(state__in=SetupState.values), name="setup_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.created_at}"
