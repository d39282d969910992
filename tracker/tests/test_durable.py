"""Work that is a row: one winner, leases that end, tokens that are refused, tries that are counted."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction

from tests.threads import at_once
from tracker import clock, durable, hints, jobs
from tracker.celery import app
from tracker.durable import Claim, GiveUp, LeaseLost, WorkState, claim, drive, kind_of, redrive
from tracker.models import Job
from tracker.tasks import do_work, sweep

pytestmark = pytest.mark.django_db

JOB = kind_of(Job)


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Claim[Job]], int]], None]:
    """Return a function that lets the job "toy" do this."""
    return lambda handler: monkeypatch.setitem(jobs._jobs, "toy", handler)


@pytest.fixture
def hinted(monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """What was hinted at; nothing is sent."""
    seen: list[uuid.UUID] = []
    monkeypatch.setattr(hints, "send", lambda _kind, row_id, **_: seen.append(row_id))
    return seen


@pytest.fixture
def later() -> Iterator[Callable[[timedelta], None]]:
    """Return a function that moves the time."""
    with time_machine.travel(clock.now(), tick=False) as traveller:
        yield lambda by: traveller.shift(by)


def toy() -> Job:
    """A job that waits."""
    return Job.objects.create(name="toy")


def taken(job: Job) -> Claim[Job]:
    """The claim on a job that is due."""
    held = claim(Job, job.pk)
    assert held is not None
    return held


def test_work_is_done_once_however_often_it_is_told(doing: Any) -> None:
    calls: list[uuid.UUID] = []

    def work(held: Claim[Job]) -> int:
        calls.append(held.row.pk)
        return 7

    doing(work)
    job = toy()

    told = [do_work(JOB, str(job.pk)) for _ in range(3)]

    assert told == [True, False, False]
    assert calls == [job.pk]
    job.refresh_from_db()
    assert (job.state, job.count, job.lease_id) == (WorkState.DONE, 7, None)
    assert job.finished_at is not None


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_wins() -> None:
    job = toy()
    held = at_once(8, lambda _: claim(Job, job.pk))
    assert len([each for each in held if each is not None]) == 1


def test_a_row_is_left_alone_while_its_lease_lasts_and_taken_over_after(later: Any) -> None:
    job = toy()
    first = taken(job)
    later(durable.LEASE - timedelta(seconds=1))
    assert claim(Job, job.pk) is None

    later(timedelta(seconds=2))
    second = taken(job)

    assert second.lease_id != first.lease_id
    assert second.row.attempts == 2


def test_a_lease_that_is_renewed_goes_on(later: Any) -> None:
    job = toy()
    held = taken(job)
    for _ in range(3):
        later(durable.LEASE - timedelta(seconds=1))
        with held.batch():
            pass
    assert claim(Job, job.pk) is None


def test_whoever_lost_the_lease_commits_nothing(later: Any) -> None:
    job = toy()
    stale = taken(job)
    later(durable.LEASE + timedelta(seconds=1))
    fresh = taken(job)

    with pytest.raises(LeaseLost), stale.batch():
        Job.objects.create(name="must not be there")
    with pytest.raises(LeaseLost):
        stale.save(count=3)
    with pytest.raises(LeaseLost):
        stale.finish()
    with fresh.batch():
        fresh.save(count=5)

    assert not Job.objects.filter(name="must not be there").exists()
    job.refresh_from_db()
    assert (job.count, job.state) == (5, WorkState.RUNNING)


@pytest.mark.django_db(transaction=True)
def test_nobody_takes_a_row_over_in_the_middle_of_a_batch() -> None:
    job = toy()
    held = claim(Job, job.pk, lease=timedelta(seconds=-1))  # over at once
    assert held is not None
    held.lease = durable.LEASE

    def race(number: int) -> bool:
        if number:
            return claim(Job, job.pk) is not None
        try:
            with held.batch():
                held.save(count=1)
        except LeaseLost:
            return False
        return True

    assert sum(at_once(2, race)) == 1


def test_what_failed_is_tried_again_later_and_later(doing: Any, later: Any, hinted: list[uuid.UUID]) -> None:
    def fail(_: Claim[Job]) -> int:
        raise ValueError("no luck")

    doing(fail)
    job = toy()
    pauses = []
    for _ in range(durable.TRIES - 1):
        assert drive(JOB, job.pk)
        job.refresh_from_db()
        assert (job.state, job.last_error) == (WorkState.QUEUED, "ValueError: no luck")
        pauses.append(job.next_try_at - clock.now())
        assert not drive(JOB, job.pk)
        assert redrive() == 0
        later(pauses[-1])
        assert redrive() == 1
    assert drive(JOB, job.pk)
    job.refresh_from_db()
    assert job.state == WorkState.FAILED
    later(timedelta(days=1))
    assert not drive(JOB, job.pk)
    for tries, pause in enumerate(pauses, 1):
        whole = durable.BACK_OFF * 2 ** (tries - 1)
        assert whole / 2 - timedelta(milliseconds=1) <= pause <= whole
    assert hinted == [job.pk] * (durable.TRIES - 1)


def test_pauses_do_not_grow_for_ever() -> None:
    assert all(durable.back_off(tries) <= durable.LONGEST_BACK_OFF for tries in (1, 20, 30_000))


def test_what_cannot_be_done_fails_at_once(doing: Any) -> None:
    def refuse(_: Claim[Job]) -> int:
        raise GiveUp("There is no such thing.")

    doing(refuse)
    job = toy()
    drive(JOB, job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.last_error) == (WorkState.FAILED, 1, "There is no such thing.")


def test_who_is_told_of_a_failure_hears_of_it_once(monkeypatch: pytest.MonkeyPatch, doing: Any) -> None:
    def refuse(_: Claim[Job]) -> int:
        raise GiveUp("no")

    doing(refuse)
    heard: list[Job] = []
    kind = durable.Kind(Job, jobs.do_job, heard.append, durable.LEASE, 3)
    monkeypatch.setitem(durable._kinds, JOB, kind)
    job = toy()
    drive(JOB, job.pk)
    drive(JOB, job.pk)
    assert [row.pk for row in heard] == [job.pk]


def test_work_that_kills_its_worker_each_time_is_given_up(doing: Any, later: Any) -> None:
    doing(lambda _: 0)
    job = toy()
    for _ in range(durable.TRIES):
        taken(job)  # and nothing more is heard of it
        later(durable.LEASE + timedelta(seconds=1))
    drive(JOB, job.pk)
    job.refresh_from_db()
    assert job.state == WorkState.FAILED


def test_tries_begin_anew_once_the_work_gets_on(doing: Any, later: Any) -> None:
    def stumble(held: Claim[Job]) -> int:
        with held.batch():
            held.save(count=held.row.count + 1)
        if held.row.count < durable.TRIES * 3:
            raise ValueError("again")
        return held.row.count

    doing(stumble)
    job = toy()
    for _ in range(durable.TRIES * 3):
        drive(JOB, job.pk)
        later(durable.BACK_OFF)
    job.refresh_from_db()
    assert (job.state, job.count) == (WorkState.DONE, durable.TRIES * 3)


def test_a_process_that_stops_hands_the_work_on(doing: Any) -> None:
    def long(held: Claim[Job]) -> int:
        held.renew()
        return 1

    doing(long)
    job = toy()
    durable.stop_working()
    try:
        drive(JOB, job.pk)
    finally:
        durable.go_on_working()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (WorkState.QUEUED, 0)
    assert drive(JOB, job.pk)
    job.refresh_from_db()
    assert job.state == WorkState.DONE


def test_the_sweep_tells_again_of_what_was_lost(hinted: list[uuid.UUID], later: Any) -> None:
    waiting, left, busy = toy(), Job.objects.create(name="left"), Job.objects.create(name="busy")
    taken(left)
    later(durable.LEASE + timedelta(seconds=1))
    taken(busy)
    Job.objects.create(name="later", next_try_at=clock.now() + timedelta(hours=1))
    Job.objects.create(name="over", state=WorkState.DONE)

    sweep()

    assert set(hinted) == {waiting.pk, left.pk}


def test_the_command_does_what_nobody_did(doing: Any) -> None:
    doing(lambda _: 2)
    job = toy()
    out = StringIO()
    call_command("sweep", stdout=out)
    assert out.getvalue().splitlines()[-1] == "worked on 1"
    job.refresh_from_db()
    assert (job.state, job.count) == (WorkState.DONE, 2)


@pytest.mark.django_db(transaction=True)
def test_a_hint_is_given_after_the_commit_and_only_then(hinted: list[uuid.UUID]) -> None:
    with transaction.atomic():
        job = jobs.begin_job("toy")
        assert hinted == []
    assert hinted == [job.pk]
    with transaction.atomic():
        jobs.begin_job("other")
        transaction.set_rollback(True)
    assert hinted == [job.pk]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_begun_twice_at_once_is_one() -> None:
    begun = at_once(4, lambda _: jobs.begin_job("toy").pk)
    assert len(set(begun)) == 1
    assert Job.objects.count() == 1


def test_a_job_that_nobody_knows_fails() -> None:
    job = Job.objects.create(name="forgotten")
    drive(JOB, job.pk)
    job.refresh_from_db()
    assert job.state == WorkState.FAILED


def test_old_jobs_are_dropped(later: Any, doing: Any) -> None:
    doing(lambda _: 0)
    drive(JOB, toy().pk)
    Job.objects.create(name="open")
    assert jobs.drop_old_jobs() == 0
    later(jobs.KEPT + timedelta(days=1))
    assert jobs.drop_old_jobs() == 1
    assert Job.objects.get().name == "open"


# --- hints -------------------------------------------------------------------------------------------
def test_what_is_found_again_is_not_sent_over_and_over(monkeypatch: pytest.MonkeyPatch) -> None:
    sender, row = hints.Sender(), uuid.uuid4()
    monkeypatch.setattr(sender, "_run", lambda: None)
    sent: list[uuid.UUID] = []

    def turn() -> None:
        while sender._waiting:
            sent.append(sender.take()[1])

    for is_news in (True, False, False, True):
        sender.send((JOB, row), is_news=is_news)
        turn()

    assert sent == [row, row]


def test_a_broker_that_is_away_is_left_alone_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def refuse(*_: Any, **__: Any) -> None:
        tries.append("once")
        raise OSError("refused")

    monkeypatch.setattr(app, "send_task", refuse)
    sender = hints.Sender()
    for _ in range(5):
        sender.publish(JOB, uuid.uuid4())
    assert tries == ["once"]
