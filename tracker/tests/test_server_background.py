"""The worker of the serving process does what is sent to it, over either broker."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connections

from tracker.celery import app
from tracker.clock import now
from tracker.ids import new_id
from tracker.models import IdempotencyKey
from tracker.server.background import Background
from tracker.tasks import drop_old_idempotency_keys

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def background() -> Iterator[Background]:
    """A worker and a beat in this process."""
    running = Background(app)
    running.start()
    yield running
    running.stop()
    connections.close_all()


def make_old_key() -> None:
    IdempotencyKey.objects.create(
        user_id=new_id(),
        key="k",
        method="POST",
        path="/api/v1/issues",
        body_hash="",
        created_at=now() - timedelta(days=2),
        leased_until=now(),
    )


def wait_until_it_is_dropped() -> None:
    deadline = time.monotonic() + 20
    while IdempotencyKey.objects.exists():
        assert time.monotonic() < deadline, "the task was not done"
        time.sleep(0.05)


def test_a_task_that_was_sent_is_done_and_the_threads_end(background: Background) -> None:
    make_old_key()

    drop_old_idempotency_keys.delay()

    wait_until_it_is_dropped()
    background.stop()
    assert background.is_stopped


@pytest.mark.redis
@pytest.mark.usefixtures("background")
def test_a_task_goes_over_redis_where_redis_is_configured() -> None:
    assert settings.CELERY_BROKER_URL.startswith("redis://")
    make_old_key()

    drop_old_idempotency_keys.delay()

    wait_until_it_is_dropped()
