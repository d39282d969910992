"""What an import has to say: what became of each field and value, what was left open, what is broken."""

from collections import Counter
from dataclasses import dataclass, field

LISTED_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that refuses an issue, or (without an issue) a file."""

    file: str
    issue: str
    field: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.issue, self.field, self.message) if part)


class Unreadable(Exception):
    """A file ends to be what it says it is; nothing after this place can be read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


class FieldProblem(Exception):
    """A field of an issue is missing or cannot be understood."""

    def __init__(self, field_name: str, message: str) -> None:
        self.field = field_name
        self.message = message
        super().__init__(f"{field_name}: {message}")


@dataclass(slots=True)
class Report:
    """Counts by field and value. Its size follows the number of different ones, not of issues."""

    fields: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    values: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    listed: dict[str, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0

    def field_was(self, name: str, action: str, to: str = "") -> None:
        """Count a filled field that was `kept`, `mapped` or `dropped`."""
        self.fields[name, action, to] += 1

    def unknown_value(self, field_name: str, value: str, became: str) -> None:
        """Count a value that the mapping does not know, and what was made of it."""
        self.values[field_name, value[:80], became] += 1

    def note(self, kind: str, text: str) -> None:
        """Count something that was left open, and list the first of its kind."""
        self.notes[kind] += 1
        examples = self.listed.setdefault(kind, [])
        if len(examples) < LISTED_AT_MOST:
            examples.append(text)

    def problem(self, problem: Problem) -> None:
        """Count a refusal, and keep the first of them."""
        self.problem_count += 1
        if len(self.problems) < LISTED_AT_MOST:
            self.problems.append(problem)

    def lines(self) -> list[str]:
        """Return the report for a terminal."""
        return [*self._field_lines(), *self._value_lines(), *self._note_lines()]

    def _field_lines(self) -> list[str]:
        if not self.fields:
            return []
        width = max(len(name) for name, _, _ in self.fields)
        rows = [
            f"  {name:<{width}}  {action:<8}{'→ ' + to if to else '':<28} {count:>7}"
            for (name, action, to), count in sorted(self.fields.items())
        ]
        return ["Fields:", *rows]

    def _value_lines(self) -> list[str]:
        rows = [
            f"  {name}: {value!r} → {became} ({count})"
            for (name, value, became), count in sorted(self.values.items())
        ]
        return ["Unknown values:", *rows] if rows else []

    def _note_lines(self) -> list[str]:
        lines: list[str] = []
        for kind, count in sorted(self.notes.items()):
            lines.append(f"{kind}: {count}")
            lines += [f"  {text}" for text in self.listed[kind]]
            if count > len(self.listed[kind]):
                lines.append(f"  … and {count - len(self.listed[kind])} more")
        return lines
