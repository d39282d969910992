"""Checked rows on disk, in the order in which they can be written: parents before their children."""

import pickle
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any, Final, Self

from issues.services.import_records import RowRecord

DEEPEST: Final = 8
BLOCK: Final = 200
"""Rows that are put down at once: each word of them is written once."""


class RowSpool:
    """Rows in a temporary file without a name. Use it in a `with`.

    Memory holds a number for each row that has a parent, and a block of the others.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="import-")  # noqa: SIM115  closed in __exit__
        self._children: IO[bytes] = tempfile.TemporaryFile(prefix="import-")  # noqa: SIM115  likewise
        self.count = 0
        self.parents: dict[str, str] = {}
        self._offsets: list[tuple[str, int]] = []
        self._order: list[int] = []
        self._roots = 0
        self._waiting: list[tuple[Any, ...]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._children.close()

    def add(self, row: RowRecord) -> None:
        """Append a row."""
        self.count += 1
        parent = row.values.get("parent")
        if not parent:
            self._waiting.append(tuple(row))
            self._roots += 1
            if len(self._waiting) == BLOCK:
                self._dump()
            return
        if row.key:
            self.parents[row.key] = parent
        self._offsets.append((parent, self._children.tell()))
        pickle.dump(tuple(row), self._children, protocol=pickle.HIGHEST_PROTOCOL)

    def settle(self) -> None:
        """Decide the order of the rows that have parents, by how deep they are. Circles come last."""
        self._dump()
        self._order = [
            offset for _, offset in sorted(self._offsets, key=lambda each: (self._depth(each[0]), each[1]))
        ]

    def rows(self, *, start: int = 0) -> Iterator[RowRecord]:
        """Yield the rows from the place `start` on; may be called again."""
        self._file.seek(0)
        for first in range(0, self._roots, BLOCK):
            block = pickle.load(self._file)  # noqa: S301  written by this process alone
            for values in block[max(0, start - first) :]:
                yield RowRecord(*values)
        for offset in self._order[max(0, start - self._roots) :]:
            self._children.seek(offset)
            yield RowRecord(*pickle.load(self._children))  # noqa: S301  see above

    def batches(self, size: int, *, start: int = 0) -> Iterator[list[RowRecord]]:
        """Yield the rows in lists of at most `size`."""
        batch: list[RowRecord] = []
        for row in self.rows(start=start):
            batch.append(row)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _dump(self) -> None:
        if self._waiting:
            pickle.dump(self._waiting, self._file, protocol=pickle.HIGHEST_PROTOCOL)
            self._waiting = []

    def _depth(self, parent: str) -> int:
        depth = 1
        while depth <= DEEPEST and parent in self.parents:
            parent = self.parents[parent]
            depth += 1
        return depth
