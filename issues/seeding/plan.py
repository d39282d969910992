"""Draws the half year of a project from its story: what is done when, by whom.

The draw is the same for the same beginning, to the millisecond, so that a second run finds every action
of the first one by its time.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final, Literal

from issues.models import IssueType
from issues.seeding.story import Story, Topic

DAYS: Final = 182
_OPENS, _CLOSES = 7, 17
_SATURDAY: Final = 5

Kind = Literal["file", "edit", "step", "comment", "watch", "link", "close_milestone"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person does. `slot`: the issue, counted from 0; -1 for none."""

    at: datetime
    key: str
    slot: int
    person: str
    kind: Kind
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """The steps of a preset as the tale takes them; empty where the preset has no such status."""

    accepted: str
    started: str
    finished: str
    reopened: str
    canceled: str = ""
    blocked: str = ""


ROUTES: Final[Mapping[str, Route]] = {
    "kanban": Route("todo", "in_progress", "done", "in_progress", canceled="canceled"),
    "triage": Route("triaged", "in_progress", "done", "in_progress"),
    "service_desk": Route("", "in_progress", "closed", "open", blocked="blocked"),
}
_PRIORITIES: Final = ("urgent", "high", "medium", "low", "none")
_PRIORITY_WEIGHTS: Final = (6, 22, 38, 22, 12)
_WAIT_HOURS: Final = {"urgent": 5.0, "high": 30.0, "medium": 110.0, "low": 260.0, "none": 340.0}
_SEVERITIES: Final = ("low", "medium", "high", "critical")


def plan_project(story: Story, *, begin: datetime) -> list[Action]:
    """Return what happens in the project in `DAYS` days from `begin`, in order, no two at one time."""
    rnd = Random(f"seed {story.key}")  # noqa: S311  a draw that repeats, nothing secret
    end = begin + timedelta(days=DAYS)
    filed = (begin + timedelta(days=DAYS * rnd.random() ** 0.9) for _ in range(story.issues))
    latest = end - timedelta(hours=1)
    moments = sorted(
        min(_office(moment, rnd), latest - timedelta(minutes=rnd.randint(0, 600))) for moment in filed
    )
    titles = _titles(story, rnd)
    parents: list[int] = []
    actions: list[Action] = []
    for slot, moment in enumerate(moments):
        topic, title, words = next(titles)
        tale = Tale(story, topic, words, rnd, slot=slot, at=moment, end=end, parents=parents)
        actions += tale.tell(title)
        if topic.type in {IssueType.FEATURE, IssueType.STORY}:
            parents.append(slot)
    actions += _milestone_ends(story, begin=begin, end=end)
    return _one_at_a_time(actions)


def _titles(story: Story, rnd: Random) -> Iterator[tuple[Topic, str, dict[str, str]]]:
    """Draw topics by weight, and titles that were not drawn before, with the words of each issue."""
    used: set[str] = set()
    weights = [topic.weight for topic in story.topics]
    while True:
        topic = rnd.choices(story.topics, weights)[0]
        fresh = [title for title in topic.titles if title not in used] or topic.titles
        template = rnd.choice(fresh)
        words = {name: rnd.choice(values) for name, values in story.words.items()}
        title = template.format_map(words)
        if title in used:
            continue
        used |= {title, template}
        yield topic, title[0].upper() + title[1:], words


@dataclass(slots=True)
class Tale:
    """The life of one issue."""

    story: Story
    topic: Topic
    words: Mapping[str, str]
    rnd: Random
    slot: int
    at: datetime
    end: datetime
    parents: list[int]
    actions: list[Action] = field(default_factory=list)
    comments: int = 0
    filed_by: str = ""

    def tell(self, title: str) -> list[Action]:
        """Draw the life of the issue up to the end of the story."""
        reporter = self.rnd.choice(self.story.reporters)
        maintainer = self.rnd.choice(self.story.maintainers)
        developer = self.rnd.choice([person for person in self.story.developers if person != reporter])
        self._file(title, reporter)
        self._triage(reporter, maintainer, developer)
        route = ROUTES[self.story.preset]
        if route.canceled and self._chance(0.09):
            self._say(self.story.talk.canceled, maintainer)
            self._act("step", maintainer, to=route.canceled)
        elif not self._chance(0.13):
            self._work(route, reporter=reporter, maintainer=maintainer, developer=developer)
        return self.actions

    def _file(self, title: str, reporter: str) -> None:
        self.filed_by = reporter
        fields: dict[str, Any] = {
            "title": title,
            "description": self._text(self.topic.descriptions),
            "type": self.topic.type.value,
            "severity": self.rnd.choices(_SEVERITIES, (20, 48, 24, 8))[0],
        }
        if self.story.departments:
            fields["department"] = self.rnd.choice(self.story.departments)
        self._act("file", reporter, **fields)

    def _triage(self, reporter: str, maintainer: str, developer: str) -> None:
        self._wait(14)
        if self._chance(0.28) and reporter != maintainer:
            question = self._say(self.story.talk.questions, maintainer)
            self._wait(9)
            self._say(self.story.talk.answers, reporter, parent=question)
            self._wait(3)
        changes: dict[str, Any] = {"priority": self.rnd.choices(_PRIORITIES[:-1], _PRIORITY_WEIGHTS[:-1])[0]}
        if self._chance(0.75):
            count = min(len(self.topic.labels), self.rnd.choice((1, 1, 1, 2)))
            changes["labels"] = sorted(self.rnd.sample(self.topic.labels, count))
        if self._chance(0.85):
            changes["assignee"] = developer
        if self.story.estimates and self._chance(0.6):
            changes["estimate"] = self.rnd.choice(self.story.estimates)
        if self._chance(0.3):
            changes["due_date"] = (self.at + timedelta(days=self.rnd.randint(6, 45))).date().isoformat()
        milestone = self._milestone()
        if milestone and self._chance(0.45):
            changes["milestone"] = milestone
        if self.topic.type in {IssueType.TASK, IssueType.BUG} and self.parents and self._chance(0.1):
            changes["parent"] = self.rnd.choice(self.parents)
        if self.story.has_cycles and self._chance(0.5):
            changes["cycle"] = True
        self._act("edit", maintainer, **changes)
        if self.slot and self._chance(0.07):
            kind = self.rnd.choice(("relates_to", "relates_to", "blocked_by", "duplicates"))
            self._act("link", maintainer, type=kind, other=self.rnd.randrange(self.slot))

    def _work(self, route: Route, *, reporter: str, maintainer: str, developer: str) -> None:
        if route.accepted:
            self._wait(4)
            self._act("step", maintainer, to=route.accepted)
        self._wait(_WAIT_HOURS[str(self._known("priority"))])
        developer = self._handed_over(maintainer, developer)
        self._act("step", developer, to=route.started)
        self._progress(route, maintainer=maintainer, developer=developer)
        self._finish(route, developer)
        if self._chance(0.11):
            self._reopened(route, reporter=reporter, maintainer=maintainer, developer=developer)
        elif self._chance(0.4):
            self._wait(10)
            self._say(self.story.talk.thanks, reporter, parent=self.comments - 1)

    def _handed_over(self, maintainer: str, developer: str) -> str:
        """Give the issue to whoever works on it, where it is nobody's or somebody else takes over."""
        if self._known("assignee") is None:
            self._act("edit", developer, assignee=developer)
        elif self._chance(0.14) and len(self.story.developers) > 1:
            others = [person for person in self.story.developers if person != developer]
            developer = self.rnd.choice(others)
            self._act("edit", maintainer, assignee=developer)
            self._wait(12)
        return developer

    def _progress(self, route: Route, *, maintainer: str, developer: str) -> None:
        for _ in range(self.rnd.choice((0, 1, 1, 2))):
            self._wait(9)
            self._say(self.story.talk.progress, developer)
        if self._chance(0.22):
            self._say(self.story.talk.internal, maintainer, internal=True)
        if self._chance(0.08) and self._known("priority") != "urgent":
            self._act("edit", maintainer, priority="urgent", severity="critical")
        if self._chance(0.06):
            watchers = {*self.story.maintainers, *self.story.developers} - {self.filed_by}
            self._act("watch", self.rnd.choice(sorted(watchers)))
        if route.blocked and self._chance(0.2):
            self._act("step", developer, to=route.blocked)
            self._say(self.story.talk.blocked, developer)
            self._wait(60)
            self._act("step", developer, to=route.started)

    def _finish(self, route: Route, developer: str) -> None:
        self._wait(self.rnd.lognormvariate(math.log(56), 1.0))
        self._act("step", developer, to=route.finished)
        self._say(self.story.talk.fixed, developer)

    def _reopened(self, route: Route, *, reporter: str, maintainer: str, developer: str) -> None:
        self._wait(40)
        self._say(self.story.talk.reopened, reporter)
        self._wait(3)
        self._act("step", maintainer, to=route.reopened)
        if route.reopened != route.started:
            self._wait(4)
            self._act("step", developer, to=route.started)
        self._say(self.story.talk.progress, developer)
        self._finish(route, developer)

    # --- one thing at a time -------------------------------------------------------------------------
    def _act(self, kind: Kind, person: str, **values: Any) -> None:
        if self.at <= self.end:
            self.actions.append(Action(self.at, self.story.key, self.slot, person, kind, values))
        self.at += timedelta(seconds=self.rnd.randint(20, 300), milliseconds=self.rnd.randint(0, 999))

    def _say(
        self, texts: tuple[str, ...], person: str, *, parent: int | None = None, internal: bool = False
    ) -> int:
        place, body = self.comments, self._text(texts)
        if texts in {self.story.talk.progress, self.story.talk.fixed} and self._chance(0.6):
            body = f"{body} {self._text(self.story.talk.more)}"
        self._act("comment", person, body=body, place=place, parent=parent, internal=internal)
        self.comments += 1
        return place

    def _wait(self, mean_hours: float) -> None:
        """Let time pass, most often less than the mean and sometimes much more, into office hours."""
        hours = min(self.rnd.expovariate(1 / mean_hours), mean_hours * 4)
        self.at = _office(self.at + timedelta(hours=hours), self.rnd)

    def _text(self, texts: tuple[str, ...]) -> str:
        return self.rnd.choice(texts).format_map(self.words)

    def _chance(self, share: float) -> bool:
        return self.rnd.random() < share

    def _known(self, name: str) -> Any:
        """Return the latest value of a field that an edit has set."""
        edits = [action.values for action in self.actions if action.kind == "edit" and name in action.values]
        return edits[-1][name] if edits else {"priority": "none"}.get(name)

    def _milestone(self) -> str:
        """Return the next milestone that is due, or nothing."""
        day = DAYS - (self.end - self.at).days
        coming = [each.name for each in self.story.milestones if each.due_day > day + 5]
        return coming[0] if coming else ""


def _milestone_ends(story: Story, *, begin: datetime, end: datetime) -> list[Action]:
    ends = [
        (each.name, begin + timedelta(days=each.due_day, hours=15, minutes=20)) for each in story.milestones
    ]
    return [
        Action(at, story.key, -1, story.lead, "close_milestone", {"name": name})
        for name, at in ends
        if at <= end
    ]


def _one_at_a_time(actions: list[Action]) -> list[Action]:
    """Put actions in order and let none happen at the very time of another."""
    ordered: list[Action] = []
    last: datetime | None = None
    for action in sorted(actions, key=lambda each: each.at):
        at = action.at.replace(microsecond=action.at.microsecond // 1000 * 1000)
        if last is not None and at <= last:
            at = last + timedelta(milliseconds=1)
        last = at
        ordered.append(Action(at, action.key, action.slot, action.person, action.kind, action.values))
    return ordered


def _office(moment: datetime, rnd: Random) -> datetime:
    """Return the moment, or the next one when somebody is at work; in the summer of Europe, roughly."""
    if moment.hour >= _CLOSES:
        moment = (moment + timedelta(days=1)).replace(hour=0)
    while moment.weekday() >= _SATURDAY:
        moment = (moment + timedelta(days=1)).replace(hour=0)
    if moment.hour < _OPENS:
        moment = moment.replace(hour=_OPENS) + timedelta(
            minutes=rnd.randint(0, 150), seconds=rnd.randint(0, 59)
        )
    return moment


def cycle_dates(begin: datetime) -> list[tuple[int, date, date]]:
    """Return the number, first and last day of the two-week cycles of the story, one beyond its end."""
    monday = (begin - timedelta(days=begin.weekday())).date()
    return [
        (number, monday + timedelta(days=14 * (number - 1)), monday + timedelta(days=14 * number - 1))
        for number in range(1, DAYS // 14 + 2)
    ]
