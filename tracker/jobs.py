"""Housekeeping by name, each as a row of work: a kill half-way, or a lost message, does not end it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction

from tracker import clock
from tracker.durable import OPEN_STATES, Claim, GiveUp, handles, tell_after_commit
from tracker.models import Job

KEPT: Final = timedelta(days=30)
_JobHandler = Callable[[Claim[Job]], int]
_jobs: dict[str, _JobHandler] = {}


def does(name: str) -> Callable[[_JobHandler], _JobHandler]:
    """Register what a job of this name does, in batches; it returns how many things it dealt with."""

    def register(handler: _JobHandler) -> _JobHandler:
        _jobs[name] = handler
        return handler

    return register


def begin_job(name: str) -> Job:
    """Return the job of this name that is under way, or begin one; twice at once is the same job."""
    try:
        with transaction.atomic():
            job = Job.objects.create(name=name)
            tell_after_commit(job)
            return job
    except IntegrityError:
        open_job = Job.objects.filter(name=name, state__in=OPEN_STATES).first()
        return open_job or begin_job(name)


def drop_old_jobs() -> int:
    """Delete the rows of jobs that ended long ago; return how many."""
    return Job.objects.filter(finished_at__lt=clock.now() - KEPT).delete()[0]


@handles(Job)
def do_job(claim: Claim[Job]) -> None:
    """Do the job of a row."""
    handler = _jobs.get(claim.row.name)
    if handler is None:
        raise GiveUp(f"There is no job {claim.row.name!r}.")
    claim.finish(count=handler(claim))
