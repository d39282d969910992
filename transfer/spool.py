"""Records on disk between the check of a file and its writing, so that memory holds one batch of them."""

import pickle
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

from issues.services.migration_records import IssueRecord


class Spool:
    """Issue records in temporary files without names, one for each level of parents. Use it in a `with`.

    Whoever has a parent comes after it, so that each committed batch is whole.
    """

    def __init__(self) -> None:
        self._files: dict[int, IO[bytes]] = {}
        self._counts: dict[int, int] = defaultdict(int)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            file.close()

    @property
    def count(self) -> int:
        """How many records there are."""
        return sum(self._counts.values())

    def add(self, record: IssueRecord, *, level: int = 0) -> None:
        """Append a record; `level` is the number of parents above it."""
        if level not in self._files:
            self._files[level] = tempfile.TemporaryFile(prefix="import-")  # noqa: SIM115  closed in __exit__
        pickle.dump(record, self._files[level], protocol=pickle.HIGHEST_PROTOCOL)
        self._counts[level] += 1

    def records(self) -> Iterator[IssueRecord]:
        """Yield the records, parents first, else in the order in which they came; may be called again."""
        for level in sorted(self._files):
            self._files[level].seek(0)
            for _ in range(self._counts[level]):
                record: IssueRecord = pickle.load(self._files[level])  # noqa: S301  written by this process alone
                yield record

    def batches(self, size: int) -> Iterator[list[IssueRecord]]:
        """Yield the records in lists of at most `size`."""
        batch: list[IssueRecord] = []
        for record in self.records():
            batch.append(record)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch
