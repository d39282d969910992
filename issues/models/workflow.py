"""The statuses of a project and the steps between them."""

from typing import ClassVar

from django.db import models

from issues.models.choices import Category
from issues.models.project import Project
from tracker.ids import new_id


class Status(models.Model):
    """A status of one project's workflow. `position` orders the columns."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="statuses")
    slug = models.SlugField(max_length=50)
    name = models.CharField(max_length=100)
    category = models.CharField(max_length=10, choices=Category)
    color = models.CharField(max_length=7, default="#6b7280")
    position = models.IntegerField(default=0)
    is_initial = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "slug"], name="status_slug_once"),
            models.UniqueConstraint(
                fields=["project"], condition=models.Q(is_initial=True), name="status_one_initial"
            ),
            models.CheckConstraint(
                condition=models.Q(category__in=Category.values), name="status_category_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Transition(models.Model):
    """An allowed step. `roles`: who may take it (empty: whoever may change the status);
    `requires`: fields of the issue that must not be empty."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="transitions")
    from_status = models.ForeignKey(Status, on_delete=models.CASCADE, related_name="transitions_out")
    to_status = models.ForeignKey(Status, on_delete=models.CASCADE, related_name="transitions_in")
    roles = models.JSONField(default=list, blank=True)
    requires = models.JSONField(default=list, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["from_status", "to_status"], name="transition_once"),
        ]

    def __str__(self) -> str:
        return f"{self.from_status_id} to {self.to_status_id}"
