"""Jira's REST search as a file: `{"names": {…}, "issues": [ … ]}`, or a bare list of issues."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transfer.json_stream import Element, JsonStream
from transfer.report import Problem, Unreadable


@dataclass(frozen=True, slots=True)
class RawIssue:
    """An issue as it is in the file, or what is wrong with it."""

    file: str
    index: int
    value: dict[str, Any]
    problem: Problem | None = None

    @property
    def title(self) -> str:
        """How messages name it: by its key, else by its place."""
        return issue_title(self.value, self.index)


@dataclass(slots=True)
class JiraFile:
    """A file of issues. `names` is there once `issues()` was read to its end."""

    path: Path
    names: dict[str, str] = field(default_factory=dict)

    def issues(self) -> Iterator[RawIssue]:
        """Yield the issues one by one. Raises Unreadable where the file is not what it says."""
        with JsonStream(self.path) as stream:
            if stream.next_character() == "[":
                yield from self._each(stream)
            elif stream.next_character() == "{":
                yield from self._members(stream)
            else:
                raise self._fault("is not JSON of Jira's search: an object with `issues` was expected")
            stream.finish()

    def _members(self, stream: JsonStream) -> Iterator[RawIssue]:
        found = False
        for name in stream.members():
            if name == "issues":
                if found or stream.next_character() != "[":
                    raise self._fault("`issues` must be one list")
                found = True
                yield from self._each(stream)
            else:
                self._keep_names(name, stream.value())
        if not found:
            raise self._fault("has no `issues`: it is not what Jira's search returns")

    def _keep_names(self, name: str, element: Element) -> None:
        if element.fault:
            raise self._fault(f"{name}: {element.fault}")
        if name == "names" and isinstance(element.value, dict):
            self.names = {
                field_id: shown for field_id, shown in element.value.items() if isinstance(shown, str)
            }

    def _each(self, stream: JsonStream) -> Iterator[RawIssue]:
        index = 0
        try:
            for index, element in enumerate(stream.elements(), 1):
                yield self._issue(index, element)
        except Unreadable as fault:
            if fault.problem.issue:
                raise
            place = f"issue {index + 1} of the file"
            raise Unreadable(Problem(self.path.name, place, "", fault.problem.message)) from fault

    def _issue(self, index: int, element: Element) -> RawIssue:
        value = element.value
        if not isinstance(value, dict):
            return self._broken(index, {}, "", "is not an object")
        if element.fault:
            return self._broken(index, value, element.path, element.fault)
        return RawIssue(self.path.name, index, value)

    def _broken(self, index: int, value: dict[str, Any], path: str, message: str) -> RawIssue:
        problem = Problem(self.path.name, issue_title(value, index), path.removeprefix("fields."), message)
        return RawIssue(self.path.name, index, value, problem)

    def _fault(self, message: str) -> Unreadable:
        return Unreadable(Problem(self.path.name, "", "", message))


def issue_title(value: dict[str, Any], index: int) -> str:
    """Return the key of an issue where it is a text worth printing, else its place in the file."""
    key = value.get("key")
    return (
        key if isinstance(key, str) and key.isascii() and 0 < len(key) <= 60 else f"issue {index} of the file"
    )
