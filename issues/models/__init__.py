"""The domain's tables."""

from issues.models.attachment import Attachment, AttachmentState, Thumbnail
from issues.models.choices import (
    CLOSED_CATEGORIES,
    PRIORITY_WORDS,
    SEVERITY_WORDS,
    STARTED_CATEGORIES,
    Category,
    CycleState,
    IssueType,
    MilestoneState,
    Priority,
    RelationType,
    Severity,
    Visibility,
)
from issues.models.issue import Comment, Issue, IssueAlias, IssueLabel, Relation, Watcher
from issues.models.project import Cycle, Label, Milestone, Project, ProjectTeam
from issues.models.search import SearchDocument
from issues.models.workflow import Status, Transition

__all__ = [
    "CLOSED_CATEGORIES",
    "PRIORITY_WORDS",
    "SEVERITY_WORDS",
    "STARTED_CATEGORIES",
    "Attachment",
    "AttachmentState",
    "Category",
    "Comment",
    "Cycle",
    "CycleState",
    "Issue",
    "IssueAlias",
    "IssueLabel",
    "IssueType",
    "Label",
    "Milestone",
    "MilestoneState",
    "Priority",
    "Project",
    "ProjectTeam",
    "Relation",
    "RelationType",
    "SearchDocument",
    "Severity",
    "Status",
    "Thumbnail",
    "Transition",
    "Visibility",
    "Watcher",
]
