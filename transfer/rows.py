"""Runs as every reader gets them."""

from typing import Any

from tracker.clock import iso
from tracker.durable import WorkState
from transfer.models import Import


def import_row(run: Import) -> dict[str, Any]:
    """Return a run in the shape of the API."""
    report = {"columns": [], "values": [], "errors": []} | run.report
    return {
        "id": str(run.pk),
        "state": "undone" if run.undone_at else str(run.state),
        "format": run.format,
        "project": run.project.key if run.project else None,
        "filename": run.filename,
        "mode": run.mode,
        "dry_run": run.dry_run,
        "progress": {"done": run.done, "total": run.total},
        "created": run.created,
        "updated": run.updated,
        "unchanged": run.unchanged,
        "failed": run.failed,
        "report": {name: report[name] for name in ("columns", "values", "errors")},
        "error": _error_of(run),
        "created_at": iso(run.created_at),
        "finished_at": iso(run.finished_at),
    }


def _error_of(run: Import) -> str | None:
    """Return why a run failed; what went wrong inside is for the log alone."""
    if run.state != WorkState.FAILED:
        return None
    return run.last_error if run.is_told else "Something went wrong here. The operator's log says what."
