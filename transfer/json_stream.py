"""Large JSON files, one value at a time: memory holds one element, not the file.

The standard library's decoder over a sliding buffer, which doubles while a value is not whole, so each
character is decoded at most twice. `ijson` was the other choice: its C back end gives events, which Python
would have to put together again for each issue (about five times slower here), and it cannot tell
repeated members of an object.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from transfer.report import Problem, Unreadable

_CHUNK_BYTES = 256 * 1024
_LARGEST_VALUE = 64 * 1024 * 1024
_SPACE = re.compile(r"[ \t\n\r]*")
_NEAR_END = 16
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Refused(Exception):
    """The value is JSON by its form, but not one to be trusted."""


@dataclass(frozen=True, slots=True)
class Element:
    """A decoded element, or the reason why it is refused."""

    value: Any
    fault: str = ""
    path: str = ""


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]  # add() only records
        raise _Refused(f"the member {twice!r} is there twice")
    return members


def _constant(name: str) -> Any:
    raise _Refused(f"{name} is no JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_constant)
# Finds the end of what the strict one refuses, so that the next element can be read.
_LOOSE = json.JSONDecoder(parse_int=float)


class JsonStream:
    """A JSON file that is read from front to back. Use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._buffer = ""
        self._position = 0
        self._passed = 0
        self._ended = False

    def __enter__(self) -> Self:
        try:
            self._file = self._path.open("rb")
            start = self._file.read(4)
            self._file.seek(0)
        except OSError as failure:
            raise self._fault(f"cannot be read ({failure.strerror})") from failure
        name = "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
        self._decoder = codecs.getincrementaldecoder(name)()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def next_character(self) -> str:
        """Return the next character that is no space, without taking it; empty at the end."""
        while True:
            self._position = _SPACE.match(self._buffer, self._position).end()  # type: ignore[union-attr]  # matches always
            if self._position < len(self._buffer) or not self._fill():
                return self._buffer[self._position : self._position + 1]

    def take(self, character: str) -> bool:
        """Take the next character if it is this one."""
        if self.next_character() != character:
            return False
        self._position += 1
        return True

    def expect(self, character: str) -> None:
        """Take this character or say what is wrong."""
        if not self.take(character):
            raise self._fault(f"{character!r} was expected {self._place()}")

    def members(self) -> Iterator[str]:
        """Yield the names of an object's members; the caller takes each value before it goes on."""
        self.expect("{")
        if self.take("}"):
            return
        while True:
            name = self.value().value
            if not isinstance(name, str):
                raise self._fault(f"a member's name was expected {self._place()}")
            self.expect(":")
            yield name
            if self.take("}"):
                return
            self.expect(",")

    def elements(self) -> Iterator[Element]:
        """Yield the elements of an array one by one."""
        self.expect("[")
        if self.take("]"):
            return
        while True:
            yield self.value()
            if self.take("]"):
                return
            self.expect(",")

    def finish(self) -> None:
        """Check that nothing follows."""
        if self.next_character():
            raise self._fault(f"nothing more was expected {self._place()}")

    def value(self) -> Element:
        """Take one whole value, whatever it is."""
        self.next_character()
        while True:
            try:
                value, end = _STRICT.raw_decode(self._buffer, self._position)
            except json.JSONDecodeError as fault:
                if not self._may_be_cut(fault):
                    raise self._fault(f"is no JSON: {fault.msg} {self._place(fault.pos)}") from fault
            except (_Refused, ValueError) as refusal:
                if element := self._refused(refusal):
                    return element
            except RecursionError as fault:
                raise self._fault(f"is nested too deep {self._place()}") from fault
            else:
                if end < len(self._buffer) or self._ended:
                    return self._taken(value, end)
            self._fill_or_fail()

    def _taken(self, value: Any, end: int) -> Element:
        suspect = _SUSPECT.search(self._buffer, self._position, end)
        self._position = end
        return _checked(value) if suspect else Element(value)

    def _refused(self, refusal: Exception) -> Element | None:
        """Step over a refused value; None where it is not whole yet."""
        try:
            value, end = _LOOSE.raw_decode(self._buffer, self._position)
        except json.JSONDecodeError as fault:
            if not self._may_be_cut(fault):
                raise self._fault(f"is no JSON: {fault.msg} {self._place(fault.pos)}") from fault
            return None
        self._position = end
        return Element(value, str(refusal) if isinstance(refusal, _Refused) else "a number is too large")

    def _may_be_cut(self, fault: json.JSONDecodeError) -> bool:
        """Tell whether the value may go on behind the buffer."""
        if self._ended:
            return False
        return fault.msg.startswith("Unterminated string") or fault.pos >= len(self._buffer) - _NEAR_END

    def _fill_or_fail(self) -> None:
        if len(self._buffer) - self._position > _LARGEST_VALUE:
            raise self._fault(f"has a value of more than {_LARGEST_VALUE >> 20} MiB {self._place()}")
        self._fill()

    def _fill(self) -> bool:
        """Drop what was taken and read as much again as is left; False at the end of the file."""
        if self._ended or self._file is None:
            return False
        self._passed += self._position
        self._buffer = self._buffer[self._position :]
        self._position = 0
        try:
            chunk = self._file.read(max(_CHUNK_BYTES, len(self._buffer)))
            self._buffer += self._decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as fault:
            raise self._fault(f"is not UTF-8 {self._place()} or later ({fault.reason})") from fault
        except OSError as failure:
            raise self._fault(f"cannot be read ({failure.strerror})") from failure
        self._ended = not chunk
        return True

    def _place(self, position: int | None = None) -> str:
        at = self._passed + (self._position if position is None else position)
        end = (
            " (the end: the file is cut off)"
            if self._ended and at >= self._passed + len(self._buffer)
            else ""
        )
        return f"at character {at}{end}"

    def _fault(self, message: str) -> Unreadable:
        return Unreadable(Problem(self._path.name, "", "", message))


def _checked(value: Any) -> Element:
    try:
        path = _bad_text(value, "")
    except RecursionError:
        return Element(value, "is nested too deep")
    if path is None:
        return Element(value)
    return Element(
        value, "the text has a character that cannot be stored (NUL or half a surrogate pair)", path
    )


def _bad_text(value: Any, path: str) -> str | None:
    """Return the path of the first text that no database stores, or None."""
    if isinstance(value, str):
        return path if "\x00" in value or _SURROGATE.search(value) else None
    if isinstance(value, dict):
        for name, inner in value.items():
            found = (
                path
                if _bad_text(name, "") is not None
                else _bad_text(inner, f"{path}.{name}" if path else name)
            )
            if found is not None:
                return found
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found = _bad_text(inner, f"{path}[{index}]")
            if found is not None:
                return found
    return None
