"""What is measured stays within its numbers of queries and bytes; no time is asserted."""

from typing import Any

import pytest
from django.test import Client

from bench.frame import make_frame
from bench.load import load
from bench.plan import filings
from bench.probe import facts_of
from bench.works import WORKS

COUNT = 400


@pytest.fixture
def facts(db: Any, settings: Any) -> dict[str, Any]:
    settings.ROOT_URLCONF = "bench.urls"
    frame = make_frame()
    load(filings(COUNT), frame)
    return facts_of(frame)


@pytest.mark.slow
def test_each_work_keeps_to_its_queries_and_bytes(facts: dict[str, Any]) -> None:
    queries = {work.name: facts["costs"][work.name]["queries"] for work in WORKS if work.most_queries}
    assert queries == {
        work.name: min(queries[work.name], work.most_queries) for work in WORKS if work.most_queries
    }
    for work in WORKS:
        if work.most_bytes:
            reply = Client(headers=work.headers(facts) | {"Accept-Encoding": "gzip"}).get(work.path(facts))
            assert reply["Content-Encoding"] == "gzip"
            assert len(reply.content) <= work.most_bytes
