"""Repeats: the same key runs once, whatever happens between."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from accounts.models import User
from tracker import clock
from tracker.api import idempotency
from tracker.errors import Conflict
from tracker.models import Event, IdempotencyKey
from tracker.tests.api_client import ApiClient

pytestmark = [pytest.mark.urls("tracker.tests.api_site"), pytest.mark.django_db]

PATH = "/api/v1/things"


@pytest.fixture
def api(developer: User) -> ApiClient:
    return ApiClient(developer)


def things(verb: str = "a") -> int:
    return Event.objects.filter(verb=verb).count()


def test_the_same_request_again_gives_the_first_reply_again(api: ApiClient) -> None:
    first = api.send("POST", PATH, {"title": "a"}, Idempotency_Key="k")
    again = api.send("POST", f"{PATH}/", {"title": "a"}, Idempotency_Key="k")
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert (again["ETag"], again["Content-Type"]) == ('"1"', "application/json")
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert again["X-Request-ID"] != first["X-Request-ID"]
    assert things() == 1


def test_another_request_with_the_key_is_422(api: ApiClient) -> None:
    api.send("POST", PATH, {"title": "a"}, Idempotency_Key="k")
    for path, body in ((PATH, {"title": "b"}), ("/api/v1/upload", {"title": "a"})):
        refused = api.send("POST", path, body, Idempotency_Key="k")
        assert (refused.status_code, refused.json()["error"]) == (422, "E_IDEMPOTENCY")


def test_keys_of_two_people_are_apart(api: ApiClient, maintainer: User) -> None:
    api.send("POST", PATH, {"title": "a"}, Idempotency_Key="k")
    assert ApiClient(maintainer).send("POST", PATH, {"title": "b"}, Idempotency_Key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, "a\tb"])
def test_a_malformed_key_is_400(api: ApiClient, key: str) -> None:
    response = api.send("POST", PATH, {"title": "a"}, Idempotency_Key=key)
    assert response.status_code == 400
    assert list(response.json()["details"]["fields"]) == ["Idempotency-Key"]


@pytest.mark.parametrize("title", ["hidden", "role", "invalid", "transition"])
def test_a_refusal_is_kept_and_its_writes_are_not(api: ApiClient, title: str) -> None:
    first = api.send("POST", PATH, {"title": title}, Idempotency_Key="k")
    again = api.send("POST", PATH, {"title": title}, Idempotency_Key="k")
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    assert things(title) == 0


@pytest.mark.parametrize("title", ["state", "rate", "bug", "locked"])
def test_a_refusal_that_may_pass_is_not_kept(api: ApiClient, title: str) -> None:
    api.send("POST", PATH, {"title": title}, Idempotency_Key="k")
    again = api.send("POST", PATH, {"title": title}, Idempotency_Key="k")
    assert "Idempotent-Replayed" not in again
    assert IdempotencyKey.objects.count() == 0
    assert things(title) == 0


def test_a_malformed_body_is_kept_too(api: ApiClient) -> None:
    assert api.send("POST", PATH, b"{", Idempotency_Key="k").status_code == 400
    assert api.send("POST", PATH, b"{", Idempotency_Key="k")["Idempotent-Replayed"] == "true"
    assert api.send("POST", PATH, b" " * 1_100_000, Idempotency_Key="k2").status_code == 413


def test_a_claim_that_runs_is_409_until_its_lease_is_over(api: ApiClient, developer: User) -> None:
    IdempotencyKey.objects.create(
        user_id=developer.pk,
        key="k",
        method="POST",
        path=PATH,
        body_hash=idempotency.hash_of(b'{"title": "a"}'),
        leased_until=clock.now() + timedelta(seconds=30),
    )
    running = api.send("POST", PATH, {"title": "a"}, Idempotency_Key="k")
    assert (running.status_code, running.json()["error"]) == (409, "E_CONFLICT")
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=31)):
        assert api.send("POST", PATH, {"title": "a"}, Idempotency_Key="k").status_code == 201
    assert things() == 1


def test_who_lost_the_claim_writes_nothing(api: ApiClient, developer: User, monkeypatch: Any) -> None:
    stored = idempotency._store

    def slow(row: IdempotencyKey, response: Any) -> None:
        IdempotencyKey.objects.update(leased_until=clock.now() + timedelta(hours=1))  # taken over meanwhile
        stored(row, response)

    monkeypatch.setattr(idempotency, "_store", slow)
    response = api.send("POST", PATH, {"title": "a"}, Idempotency_Key="k")
    assert response.status_code == 409
    assert things() == 0


def test_after_a_day_the_key_is_free(api: ApiClient) -> None:
    api.send("POST", PATH, {"title": "a"}, Idempotency_Key="k")
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=24, seconds=1)):
        fresh = api.send("POST", PATH, {"title": "b"}, Idempotency_Key="k")
        assert fresh.status_code == 201
        assert "Idempotent-Replayed" not in fresh


def test_files_count_by_their_content(api: ApiClient) -> None:
    def upload(content: bytes) -> Any:
        file = SimpleUploadedFile("a.txt", content)
        return api.post("/api/v1/upload", {"title": "a", "file": file}, headers={"Idempotency-Key": "k"})

    first = upload(b"one").json()
    assert first["details"]["fields"] == {"file": ["Unknown field."]}
    assert upload(b"one").json() == first
    assert upload(b"two").status_code == 422


def test_secrets_are_not_kept(api: ApiClient) -> None:
    assert api.send("POST", "/api/v1/secret", {}, Idempotency_Key="k").status_code == 201
    assert "Idempotent-Replayed" not in api.send("POST", "/api/v1/secret", {}, Idempotency_Key="k")
    assert IdempotencyKey.objects.count() == 0


def test_other_methods_ignore_the_key(api: ApiClient) -> None:
    assert api.send("PATCH", f"{PATH}/a", {"title": "a"}, Idempotency_Key="a b").status_code == 200


def test_two_take_overs_have_one_winner(developer: User) -> None:
    claim = idempotency.Claim(developer.pk, "k", "POST", PATH, "hash")
    row = idempotency._take(claim)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2), tick=False):
        idempotency._take_over(row, claim)
        stale = IdempotencyKey.objects.get()
        stale.leased_until -= timedelta(seconds=1)
        with pytest.raises(Conflict):
            idempotency._take_over(stale, claim)


@pytest.mark.django_db(transaction=True)
def test_of_twenty_at_once_one_runs(developer: User) -> None:
    barrier = Barrier(20)
    replies: list[Any] = []

    def run() -> None:
        client = ApiClient(developer)
        barrier.wait()
        try:
            replies.append(client.send("POST", PATH, {"title": "a"}, Idempotency_Key="k"))
        finally:
            connection.close()

    threads = [Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert things() == 1
    assert sorted({reply.status_code for reply in replies} | {409}) == [201, 409]
    ran = [reply for reply in replies if reply.status_code == 201 and "Idempotent-Replayed" not in reply]
    assert len(ran) == 1
    assert len(replies) == 20
