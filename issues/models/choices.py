"""The closed sets of the domain."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Category(models.TextChoices):
    """What a status means; reports use it, never a status name. In the order of the work."""

    BACKLOG = "backlog", _("Backlog")
    UNSTARTED = "unstarted", _("Unstarted")
    STARTED = "started", _("Started")
    BLOCKED = "blocked", _("Blocked")
    DONE = "done", _("Done")
    CANCELED = "canceled", _("Canceled")


CLOSED_CATEGORIES = (Category.DONE, Category.CANCELED)
STARTED_CATEGORIES = (Category.STARTED, Category.BLOCKED)


class IssueType(models.TextChoices):
    """What kind of work an issue is."""

    BUG = "bug", _("Bug")
    TASK = "task", _("Task")
    FEATURE = "feature", _("Feature")
    STORY = "story", _("Story")
    EPIC = "epic", _("Epic")
    QUESTION = "question", _("Question")


class Severity(models.IntegerChoices):
    """How bad; stored as its rank."""

    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    CRITICAL = 4, _("Critical")

    @property
    def word(self) -> str:
        """The name in the API."""
        return self.name.lower()


class Priority(models.IntegerChoices):
    """How soon; stored as its rank."""

    NONE = 0, _("No priority")
    LOW = 1, _("Low")
    MEDIUM = 2, _("Medium")
    HIGH = 3, _("High")
    URGENT = 4, _("Urgent")

    @property
    def word(self) -> str:
        """The name in the API."""
        return self.name.lower()


class Visibility(models.TextChoices):
    """Who sees a project: every signed-in user, or its teams and its lead."""

    INTERNAL = "internal", _("Internal")
    PRIVATE = "private", _("Private")


class MilestoneState(models.TextChoices):
    """Whether a milestone is still worked on."""

    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")


class CycleState(models.TextChoices):
    """Where a cycle is in time; kept by hand until cycles have a page of their own."""

    PLANNED = "planned", _("Planned")
    ACTIVE = "active", _("Active")
    COMPLETED = "completed", _("Completed")


class RelationType(models.TextChoices):
    """How the source issue stands to the target; the other direction is read from the target's side."""

    BLOCKS = "blocks", _("blocks")
    DUPLICATES = "duplicates", _("duplicates")
    RELATES_TO = "relates_to", _("relates to")


SEVERITY_WORDS = {member.word: member for member in Severity}
PRIORITY_WORDS = {member.word: member for member in Priority}
