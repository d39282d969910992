"""Projects and what hangs on them: teams, labels, milestones, cycles."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from issues.models.choices import CycleState, MilestoneState, Visibility
from issues.project_querysets import ProjectQuerySet
from tracker.clock import now
from tracker.ids import new_id


class Project(models.Model):
    """Owns a key, a workflow, labels, milestones and cycles; issues are numbered in it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, default="")
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.INTERNAL)
    reporters_see_all = models.BooleanField(default=False)
    lead = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="led_projects"
    )
    teams = models.ManyToManyField("accounts.Team", through="ProjectTeam", related_name="projects")
    time_zone = models.CharField(max_length=64, default="UTC")
    workflow_preset = models.CharField(max_length=20, default="kanban")
    workflow_version = models.IntegerField(default=1)
    next_number = models.IntegerField(default=1)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [
            ("create_project", "Create projects"),
            ("manage_project", "Change visible projects, their workflows, milestones and cycles"),
            ("see_private_projects", "See every private project"),
            ("create_label", "Create labels in visible projects"),
            ("manage_labels", "Change and delete labels in visible projects"),
        ]
        default_permissions = ("view",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(key__regex=r"^[A-Z][A-Z0-9]{1,19}$"), name="project_key_form"
            ),
            models.CheckConstraint(condition=models.Q(next_number__gte=1), name="project_number_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.name}"

    @property
    def is_archived(self) -> bool:
        """Archived projects are read only."""
        return self.archived_at is not None


class ProjectTeam(models.Model):
    """A team that sees a project."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="project_teams")
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="project_teams")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "team"], name="project_team_once")
        ]

    def __str__(self) -> str:
        return f"{self.team_id} in {self.project_id}"


class Label(models.Model):
    """A word that issues of one project can carry. Names are one whatever their case."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="labels")
    name = models.CharField(max_length=100)
    color = models.CharField(max_length=7, default="#6b7280")
    description = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("project", Lower("name"), name="label_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Milestone(models.Model):
    """A dated goal of a project."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="milestones")
    name = models.CharField(max_length=100)
    description = models.TextField(blank=True, default="")
    due_date = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=MilestoneState, default=MilestoneState.OPEN)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint("project", Lower("name"), name="milestone_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class Cycle(models.Model):
    """A time-boxed iteration of a project, numbered in it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="cycles")
    number = models.IntegerField()
    name = models.CharField(max_length=100)
    starts_on = models.DateField()
    ends_on = models.DateField()
    state = models.CharField(max_length=10, choices=CycleState, default=CycleState.PLANNED)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "number"], name="cycle_number_once"),
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="cycle_forwards"
            ),
        ]

    def __str__(self) -> str:
        return self.name
