"""What a measured database holds: the same people, projects and issues at every run, from one seed.

The plan says what people do; `bench.frame` makes the people and projects by the services, and `bench.load`
writes the issues as the services would (a test compares).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from issues.services.presets import PRESETS

SEED: Final = 20_261_101
BEGIN: Final = datetime(2024, 11, 1, tzinfo=UTC)
DAYS: Final = 700
TEAMS: Final = 10
TEAM_SIZE: Final = 20
PEOPLE: Final = TEAMS * TEAM_SIZE
PROJECTS: Final = 20
LABELS: Final = ("backend", "customer", "docs", "frontend", "infra", "performance", "regression", "security")
MILESTONES: Final = ("Spring release", "Summer release", "Autumn release")
COMMON_WORD: Final = "error"
RARE_WORD: Final = "zanzibar"
RARE_EVERY: Final = 5_000
_PRESETS: Final = ("kanban", "triage", "service_desk")
_TEXTS: Final = 2_000
_WORDS: Final = (Path(__file__).parent / "words.txt").read_text().split()
_VERBS: Final = (
    "breaks",
    "loses",
    "ignores",
    "duplicates",
    "hides",
    "delays",
    "rejects",
    "rounds",
    "truncates",
    "blocks",
    "resets",
)


@dataclass(frozen=True, slots=True)
class Person:
    """An account; its place in the list is its number."""

    number: int
    role: str
    team: int
    leads: bool

    @property
    def email(self) -> str:
        """Its address."""
        return f"{self.role}{self.number}@bench.example.org"


@dataclass(frozen=True, slots=True)
class Place:
    """A project."""

    number: int
    preset: str
    team: int
    is_private: bool
    reporters_see_all: bool

    @property
    def key(self) -> str:
        """Its key."""
        return f"B{chr(65 + self.number)}"


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to an issue later.

    `kind` and `value`: `edit` fields, `status` a slug, `comment` a text and whether it is internal, `share` a
    person's number.
    """

    at: datetime
    person: int
    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Filing:
    """An issue: who files it where, with which fields (in the words of the API), and what happens to it."""

    project: int
    at: datetime
    person: int
    fields: dict[str, Any]
    steps: tuple[Step, ...]


def people() -> list[Person]:
    """Return 200 people: 16 maintainers, 4 admins, 80 developers, 100 reporters, in ten teams."""
    return [
        Person(number, _role(number), team=number // TEAM_SIZE, leads=number % TEAM_SIZE == 0)
        for number in range(PEOPLE)
    ]


def places() -> list[Place]:
    """Return 20 projects of all three presets; every fifth is private, every seventh open to reporters."""
    return [
        Place(
            number,
            preset=_PRESETS[number % len(_PRESETS)],
            team=number % TEAMS,
            is_private=number % 5 == 4,
            reporters_see_all=number % 7 == 3,
        )
        for number in range(PROJECTS)
    ]


def filings(count: int, *, skip: int = 0) -> Iterator[Filing]:
    """Return `count` issues in the order of their filing; the first projects get more than the last."""
    made = _Maker(count)
    return (made.filing(number) for number in range(skip, count))


def _role(number: int) -> str:
    place = number % TEAM_SIZE
    if place == 0:
        return "maintainer"
    if place == 1:
        return "admin" if number // TEAM_SIZE < 4 else "maintainer"
    return "developer" if place < 10 else "reporter"


class _Maker:
    def __init__(self, count: int) -> None:
        self.places = places()
        self.spacing = timedelta(days=DAYS) / count
        self.weights = [1 / (place.number + 2) for place in self.places]
        chance = random.Random(SEED)  # noqa: S311  no secret hangs on it
        self.texts = [_text(chance) for _ in range(_TEXTS)]

    def filing(self, number: int) -> Filing:
        """Return one issue; the same number gives the same issue."""
        chance = random.Random(SEED + number)  # noqa: S311
        place = chance.choices(self.places, self.weights)[0]
        at = _cut(BEGIN + self.spacing * number)
        team = place.team if place.is_private else chance.randrange(TEAMS)
        is_planned = chance.random() < 0.6
        filer = team * TEAM_SIZE + (2 + chance.randrange(8) if is_planned else 10 + chance.randrange(10))
        fields = self._text_fields(chance, number)
        if is_planned:
            fields |= self._plan(chance, team, at)
        steps = self._steps(chance, place, filer=filer, team=team, at=at, is_planned=is_planned)
        return Filing(place.number, at, filer, fields, steps)

    def _text_fields(self, chance: random.Random, number: int) -> dict[str, Any]:
        title = f"{chance.choice(_WORDS).title()} {chance.choice(_VERBS)} the {chance.choice(_WORDS)}"
        if chance.random() < 0.3:
            title += f" with an {COMMON_WORD}"
        title += f" after {chance.choice(_WORDS)} {chance.choice(_WORDS)}"
        text = f"{chance.choice(self.texts)}\n\n{chance.choice(self.texts)}"
        if number % RARE_EVERY == RARE_EVERY // 2:
            text += f"\n\nOnly seen in {RARE_WORD.title()}."
        fields = {
            "title": title,
            "description": text,
            "type": chance.choice(("bug", "task", "feature", "story")),
        }
        if chance.random() < 0.5:
            fields["severity"] = chance.choice(("low", "medium", "high", "critical"))
        if chance.random() < 0.2:
            fields["department"] = chance.choice(("Sales", "Support", "Finance"))
        return fields

    def _plan(self, chance: random.Random, team: int, at: datetime) -> dict[str, Any]:
        fields: dict[str, Any] = {"priority": chance.choice(("none", "low", "medium", "high", "urgent"))}
        if chance.random() < 0.7:
            fields["assignee"] = team * TEAM_SIZE + chance.randrange(10)
        if chance.random() < 0.5:
            fields["labels"] = sorted(chance.sample(LABELS, chance.choice((1, 1, 2))))
        if chance.random() < 0.3:
            fields["milestone"] = chance.choice(MILESTONES)
        if chance.random() < 0.3:
            fields["estimate"] = chance.choice((1, 2, 3, 5, 8, 0.5))
        if chance.random() < 0.2:
            fields["due_date"] = (at + timedelta(days=chance.randrange(5, 60))).date().isoformat()
        return fields

    def _steps(
        self, chance: random.Random, place: Place, *, filer: int, team: int, at: datetime, is_planned: bool
    ) -> tuple[Step, ...]:
        lead, moment, steps = team * TEAM_SIZE, at, []
        if not is_planned and chance.random() < 0.5:
            moment = _later(chance, moment)
            steps.append(Step(moment, lead, "edit", self._plan(chance, team, at)))
        for slug in _walk(chance, place.preset):
            moment = _later(chance, moment)
            steps.append(Step(moment, lead, "status", slug))
        for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
            moment = _later(chance, moment)
            is_internal = chance.random() < 0.2
            author = lead if is_internal else filer
            steps.append(Step(moment, author, "comment", (chance.choice(self.texts), is_internal)))
        if chance.random() < 0.05:
            moment = _later(chance, moment)
            steps.append(Step(moment, lead, "share", team * TEAM_SIZE + 10 + chance.randrange(10)))
        return tuple(steps)


def _walk(chance: random.Random, preset: str) -> list[str]:
    """Return the statuses that an issue goes through after its first: half of them forwards to the end."""
    statuses = [status.slug for status in PRESETS[preset].statuses]
    steps, here, walked = PRESETS[preset].steps, statuses[0], []
    for _ in range(chance.choice((0, 0, 1, 2, 3))):
        ahead = [slug for slug in steps[here] if statuses.index(slug) > statuses.index(here)]
        here = ahead[0] if ahead and chance.random() < 0.85 else chance.choice(steps[here])
        walked.append(here)
    return walked


def _text(chance: random.Random) -> str:
    sentences = [
        " ".join(chance.choices(_WORDS, k=chance.randrange(6, 14))) for _ in range(chance.randrange(2, 5))
    ]
    return ". ".join(sentence.capitalize() for sentence in sentences) + "."


def _later(chance: random.Random, moment: datetime) -> datetime:
    return _cut(moment + timedelta(minutes=chance.randrange(5, 3_000)))


def _cut(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
