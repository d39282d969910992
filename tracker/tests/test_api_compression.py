"""Lists are compressed for who takes gzip."""

import gzip
from typing import Any

import pytest
from django.http import HttpResponse

from tracker.api.replies import compress, json_reply

ROWS = [{"id": number, "text": "the same again"} for number in range(200)]


def reply(accepted: str, data: Any = ROWS) -> HttpResponse:
    response = json_reply(data)
    compress(response, accepted=accepted)
    return response


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "gzip, deflate"])
def test_who_takes_gzip_gets_it(accepted: str) -> None:
    response = reply(accepted)
    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.content) == json_reply(ROWS).content
    assert response["Content-Length"] == str(len(response.content))
    assert len(response.content) * 5 < len(json_reply(ROWS).content)


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br, gzip; q=0.0", "xgzip"])
def test_who_does_not_take_it_gets_plain_data(accepted: str) -> None:
    response = reply(accepted)
    assert not response.has_header("Content-Encoding")
    assert response.content == json_reply(ROWS).content


def test_both_say_that_they_vary() -> None:
    assert reply("gzip")["Vary"] == reply("")["Vary"] == "Accept-Encoding"


def test_a_short_reply_is_not_worth_it() -> None:
    assert not reply("gzip", ROWS[:3]).has_header("Content-Encoding")
