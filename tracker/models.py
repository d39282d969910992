"""Rows that every app shares: the event log, version counters, idempotency keys, jobs."""

from typing import ClassVar

from django.db import models

from tracker.clock import now
from tracker.durable import Work
from tracker.ids import new_id


class Event(models.Model):
    """One recorded change: who, what, when, before and after.

    `order` is drawn by the database when the row is inserted, under the lock of what changed, so the
    events of one issue are in order. `seq` is dealt after commit (`tracker.events.numbering`) and has
    no gap. There is no foreign key: the log outlives what it tells of.
    """

    order = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=new_id, editable=False)
    seq = models.BigIntegerField(null=True, unique=True)
    verb = models.CharField(max_length=60)
    at = models.DateTimeField(default=now)
    recorded_at = models.DateTimeField(default=now)
    actor_id = models.UUIDField(null=True)
    source = models.CharField(max_length=20)
    cause_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64, default="", blank=True)
    project_id = models.UUIDField(null=True)
    issue_id = models.UUIDField(null=True)
    issue_key = models.CharField(max_length=40, default="", blank=True)
    version = models.IntegerField(null=True)
    subject_id = models.UUIDField(null=True)
    internal = models.BooleanField(default=False)
    changes = models.JSONField(default=dict)
    data = models.JSONField(default=dict)
    external_id = models.CharField(max_length=120, null=True)  # noqa: DJ001  empty means "not imported" to the unique constraint

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["order"], name="event_unnumbered", condition=models.Q(seq__isnull=True)),
            models.Index(fields=["issue_id", "at", "order"], name="event_issue"),
            models.Index(fields=["project_id", "seq"], name="event_project"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["issue_id", "external_id"], name="event_external_once"),
        ]

    def __str__(self) -> str:
        return f"{self.seq or '?'} {self.verb} {self.issue_key}"


class EventLog(models.Model):
    """The head of the log, one row: the id of this database's log and the last number dealt."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    log_id = models.UUIDField(default=new_id)
    last_seq = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=models.Q(id=1), name="one_event_log")]

    def __str__(self) -> str:
        return f"log {self.log_id} at {self.last_seq}"


class CacheVersion(models.Model):
    """A counter that is raised in the transaction that changes what a process may have cached."""

    name = models.CharField(max_length=20, primary_key=True)
    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.value}"


class IdempotencyKey(models.Model):
    """A claim on a repeatable POST and, once it is answered, the answer."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user_id = models.UUIDField()
    key = models.CharField(max_length=255)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500)
    body_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=now)
    leased_until = models.DateTimeField()
    status_code = models.SmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_key_once")
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Job(Work):
    """Housekeeping that was begun and is to end, such as the purge of the trash; one of a name at a time."""

    name = models.CharField(max_length=60)
    count = models.IntegerField(default=0)

    class Meta(Work.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(state__in=["queued", "running"]), name="job_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"
