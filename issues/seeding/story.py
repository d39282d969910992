"""What a project's half year is told from: who is in it, and what its people write.

Texts may hold `{name}` of `Story.words`: one of its values is drawn for each issue, for all its texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from issues.models import IssueType


@dataclass(frozen=True, slots=True)
class Topic:
    """Issues of one type: titles, and what is said in their descriptions and comments.

    `weight`: how often an issue is of this topic. Each title is used once, with other words a second time.
    """

    type: IssueType
    weight: int
    titles: tuple[str, ...]
    descriptions: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """What people say on the way."""

    questions: tuple[str, ...]
    answers: tuple[str, ...]
    progress: tuple[str, ...]
    fixed: tuple[str, ...]
    reopened: tuple[str, ...]
    thanks: tuple[str, ...]
    internal: tuple[str, ...]
    more: tuple[str, ...]
    canceled: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MilestonePlan:
    """A milestone that is due so many days after the beginning."""

    name: str
    description: str
    due_day: int


@dataclass(frozen=True, slots=True)
class LabelPlan:
    """A label of a project."""

    name: str
    color: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """A project and what goes on in it."""

    key: str
    name: str
    description: str
    preset: str
    issues: int
    lead: str
    teams: tuple[str, ...]
    reporters: tuple[str, ...]
    developers: tuple[str, ...]
    maintainers: tuple[str, ...]
    labels: tuple[LabelPlan, ...]
    milestones: tuple[MilestonePlan, ...]
    topics: tuple[Topic, ...]
    talk: Talk
    words: Mapping[str, tuple[str, ...]]
    is_private: bool = False
    time_zone: str = "UTC"
    departments: tuple[str, ...] = ()
    has_cycles: bool = False
    estimates: tuple[int, ...] = field(default=())
