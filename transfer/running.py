"""An import from its file to its rows: all is checked, then short batches are written under the lease."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final, Self

from accounts.models import User
from accounts.services.placeholders import ensure_placeholders
from issues import policy
from issues.catalog import catalog
from issues.models import Project
from issues.scope import scope_of
from issues.services.import_new import documents_of
from issues.services.import_records import BatchOutcome, Importing, RowRecord
from issues.services.importing import (
    close_batch,
    is_known_source,
    rehearse_rows,
    require_import,
    write_rows,
)
from issues.services.migration_places import Place, ensure_place
from issues.services.migration_records import ProjectRecord
from issues.services.search_documents import preparer
from tracker.caller import Caller
from tracker.durable import Claim
from tracker.errors import Invalid
from tracker.versions import forget_versions, versions_of
from transfer.csv.check import LISTED, Checked, Target, check_file, errors_of
from transfer.csv.columns import read_mapping
from transfer.csv.reading import CsvFile
from transfer.csv.spool import RowSpool
from transfer.files import path_of
from transfer.models import Import, ImportMode
from transfer.people import find_people
from transfer.report import Unreadable
from transfer.services.imports import (
    Brought,
    freed_ids,
    has_freed,
    record_batch,
    record_check,
    record_report,
    refuse_import,
    require_today,
)

BATCH: Final = 1000
SOURCE: Final = "csv"
_Ready = tuple[list[RowRecord], Mapping[int, Any]]


def run_csv(claim: Claim[Import], *, by: Caller) -> None:
    """Import a CSV file, or go on where an earlier try ended. Raises `GiveUp`; the report says why."""
    run = claim.row
    target = target_of(run, by=by)
    with RowSpool() as spool:
        try:
            file = CsvFile(path_of(run.file_name), name=run.filename)
            mapping = read_mapping(run.mapping)
            checked = check_file(file, mapping=mapping, target=target, spool=spool, alive=claim.renew)
        except Unreadable as fault:
            problem: dict[str, Any] = {"line": None, "field": "", "message": str(fault)}
            refuse_import(claim, str(fault)[:500], report={"errors": [problem]}, failed=1)
            return
        except Invalid as fault:
            problem = {"line": 1, "field": "mapping", "message": fault.message}
            refuse_import(claim, fault.message[:500], report={"errors": [problem]}, failed=1)
            return
        source = source_of(":".join(filter(None, (SOURCE, mapping.source))), target)
        Writer(claim, by=by, target=target, source=source).write(spool, checked)


def source_of(name: str, target: Target) -> str:
    """Return the source of a run. One project's is its own: no other row, hidden or not, is matched by it."""
    return f"{name[:150]}@{target.project}" if target.project else name


def target_of(run: Import, *, by: Caller) -> Target:
    """Return where the rows of a run go, and with which liberties."""
    forget_versions(by.user)
    known, scope = catalog(versions_of(by.user)), scope_of(by.user)
    key = known.projects[run.project_id].key if run.project_id else ""
    statuses = {
        info.key: {
            name.casefold(): status.slug
            for status in reversed(known.statuses_of(info.id))
            for name in (status.name, status.slug)
        }
        for info in known.projects.values()
        if not key or info.key == key
    }
    highest = {
        name: following - 1
        for name, following in Project.objects.filter(key__in=statuses).values_list("key", "next_number")
    }
    return Target(key, statuses, is_migration=policy.can_migrate(scope), highest=highest)


class Writer:
    """Writes checked rows in batches, each with how far the run is by it."""

    def __init__(self, claim: Claim[Import], *, by: Caller, target: Target, source: str) -> None:
        self.claim, self.by, self.target, self.source = claim, by, target, source
        self.report: dict[str, Any] = dict(claim.row.report)
        self._left: Counter[str] = Counter(self.report.pop("left", {}))
        self._people: Mapping[str, User] = {}
        self._has_freed = self._has_any_freed = True
        self._refused: dict[int, tuple[str, str]] = {}

    def write(self, spool: RowSpool, checked: Checked) -> None:
        """Write all rows. A strict run with a bad row writes none, and fails."""
        run, claim = self.claim.row, self.claim
        is_strict = run.mode == ImportMode.STRICT
        is_new = run.done == 0
        if is_new:  # else the report goes on where the last committed batch left it
            self._report_check(checked)
        total = checked.good_rows + checked.bad_rows
        if is_new:
            record_check(claim, report=self.report, total=total, failed=checked.bad_rows)
        if checked.bad_rows and is_strict and not run.dry_run:
            sentence = f"{checked.bad_rows} of {total} rows are bad. Nothing was imported."
            refuse_import(claim, sentence, done=0, failed=checked.bad_rows)
        self._require_right()  # the check may have taken minutes
        self._has_freed, self._has_any_freed = has_freed(self.source), has_freed()
        if run.dry_run or (is_strict and is_new):
            self._rehearse(spool, checked)
        if self._refused and not run.dry_run:
            self._note_refused((line, *why) for line, why in self._refused.items())
            sentence = f"{len(self._refused)} of {total} rows are bad. Nothing was imported."
            refuse_import(claim, sentence, done=0, failed=len(self._refused), report=self.report)
        self._people = self._find_people(checked)
        importing = self._importing(checked, self._places(checked, dry_run=run.dry_run))
        importing.is_dry_run = run.dry_run
        importing.has_earlier = is_known_source(self.source)
        batches = spool.batches(BATCH, start=max(0, run.done - checked.bad_rows))
        with _Ahead(batches, importing) as ahead:
            while batch := ahead.take():
                claim.renew()
                self._write_batch(importing, batch, ahead)
        claim.finish(done=total, report=self._whole_report())

    def _importing(self, checked: Checked, places: Mapping[str, Place]) -> Importing:
        return Importing(
            by=self.by,
            source=self.source,
            places=places,
            people=self._people,
            parents=checked.parents,
            is_migration=self.target.is_migration,
            project_id=self.claim.row.project_id,
            is_own=checked.columns.are_own,
        )

    def _rehearse(self, spool: RowSpool, checked: Checked) -> None:
        """Find the rows that would be refused, writing nothing; no work where no row can be here yet."""
        may_be_here = checked.columns.are_own or self._has_freed or is_known_source(self.source)
        if not checked.parents and not may_be_here:
            return
        self._people = self._known_people(checked)
        importing = self._importing(checked, {})

        def places() -> Mapping[str, Place]:
            found = self._places(checked, dry_run=False)
            forget_versions(self.by.user)
            return found

        for batch in spool.batches(BATCH):
            self.claim.renew()
            rows = [self._with_known_people(row) for row in batch]
            freed = freed_ids(self.source, [row.external_id for row in rows]) if self._has_freed else {}
            try:
                refused = rehearse_rows(importing, rows, freed=freed, places=places)
            finally:
                forget_versions(self.by.user)
            self._refused.update((line, (name, message)) for line, name, message in refused)

    def _write_batch(self, importing: Importing, batch: Sequence[RowRecord], ahead: "_Ahead") -> None:
        rows = [self._with_known_people(row) for row in batch if row.line not in self._refused]
        freed = freed_ids(self.source, [row.external_id for row in rows]) if self._has_freed else {}
        with self.claim.batch():
            self._require_right()
            outcome = write_rows(importing, rows, freed=freed)
            ahead.begin()
            bad = [row.line for row in batch if row.line in self._refused]
            outcome.refused += [(line, *self._refused[line]) for line in bad]
            self._note(outcome)
            record_report(self.claim, {**self.report, "left": dict(self._left)})
            is_first = self.claim.row.done == 0
            record_batch(
                self.claim,
                [] if self.claim.row.dry_run else self._brought(outcome),
                count=len(batch) + (self.claim.row.failed if is_first else 0),
                created=sum(each.is_new for each in outcome.arrived),
                updated=sum(not each.is_new for each in outcome.arrived),
                unchanged=outcome.unchanged,
                may_be_freed=self._has_any_freed,
                failed=len(outcome.refused),
            )
            close_batch(outcome)
        forget_versions(self.by.user)

    def _brought(self, outcome: BatchOutcome) -> list[Brought]:
        source = self.source
        return [
            Brought(issue_id, source, row.external_id, is_new, version, activity_at)
            for row, issue_id, is_new, version, activity_at in outcome.arrived
        ]

    def _require_right(self) -> None:
        require_today(self.by, self.claim.row.project_id)
        if self.target.is_migration:  # the authors and times of the file are taken over
            require_import(self.by, None)

    # --- what rows need --------------------------------------------------------------------------------
    def _places(self, checked: Checked, *, dry_run: bool) -> dict[str, Place]:
        records = {key: needs.record(key) for key, needs in checked.needs.items()}
        if self.target.project:
            records.setdefault(self.target.project, _nothing_of(self.target.project))
        return {
            key: ensure_place(
                record, by=self.by, highest=checked.needs[key].highest if key in checked.needs else 0,
                dry_run=dry_run,
            )
            for key, record in sorted(records.items())
        }  # fmt: skip

    def _known_people(self, checked: Checked) -> dict[str, User]:
        return find_people(
            checked.people,
            by=self.by,
            source=self.source,
            is_migration=self.target.is_migration,
            project_id=self.claim.row.project_id,
        )

    def _find_people(self, checked: Checked) -> Mapping[str, User]:
        found = self._known_people(checked)
        missing = {key: name for key, name in checked.people.items() if key not in found}
        if missing and self.target.is_migration and not self.claim.row.dry_run:
            made = ensure_placeholders(
                by=self.by,
                source=self.source,
                people=[(key[:200], name, name if "@" in name else None) for key, name in missing.items()],
            )
            found = {**found, **made}
            forget_versions(self.by.user)
        elif missing:
            rows = [{"field": "person", "value": name, "became": None} for name in missing.values()]
            told = self.report.get("values", [])
            self.report["values"] = [*told, *(row for row in rows if row not in told)][:LISTED]
        return found

    def _with_known_people(self, row: RowRecord) -> RowRecord:
        """Leave out people whom nobody knows: what an issue has stays, a new one has nobody."""
        unknown = [
            name for name in ("reporter", "assignee")
            if row.values.get(name) and row.values[name] not in self._people
        ]  # fmt: skip
        if not unknown:
            return row
        return row._replace(values={name: value for name, value in row.values.items() if name not in unknown})

    # --- the report --------------------------------------------------------------------------------------
    def _report_check(self, checked: Checked) -> None:
        self.report = {
            "columns": list(checked.columns.report),
            "values": [],
            "errors": errors_of(checked.faults),
        }

    def _note(self, outcome: BatchOutcome) -> None:
        self._note_refused(outcome.refused)
        self._left.update(kind for kind, _ in outcome.left)

    def _note_refused(self, refused: Iterable[tuple[int, str, str]]) -> None:
        for line, name, message in refused:
            if len(self.report["errors"]) < LISTED:
                self.report["errors"].append({"line": line, "field": name, "message": message})

    def _whole_report(self) -> dict[str, Any]:
        notes = [{"field": "", "value": kind, "became": str(count)} for kind, count in self._left.items()]
        return {**self.report, "values": [*self.report["values"], *notes]}


class _Ahead:
    """Takes batches from the disk, each with what the search will keep of it. Use it in a `with`.

    After `begin` a thread makes the next one ready, while the database stores the rest of this one. It
    computes and reads our own file, and touches nothing else.
    """

    def __init__(self, batches: Iterator[list[RowRecord]], importing: Importing) -> None:
        self._batches, self._importing = batches, importing
        self._prepare = preparer()
        self._pool = ThreadPoolExecutor(1, "import-ahead")
        self._coming: Future[_Ready] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def begin(self) -> None:
        """Begin with the next batch."""
        self._coming = self._pool.submit(self._make)

    def take(self) -> list[RowRecord]:
        """Return the next batch, empty at the end; its documents are with the run."""
        batch, self._importing.documents = self._coming.result() if self._coming else self._make()
        self._coming = None
        return batch

    def _make(self) -> _Ready:
        batch = next(self._batches, [])
        is_new = not self._importing.has_earlier and not self._importing.is_dry_run
        return batch, documents_of(batch, self._prepare) if is_new else {}


def _nothing_of(key: str) -> ProjectRecord:
    project = Project.objects.get(key=key)
    return ProjectRecord(key=key, name=project.name, statuses=())
