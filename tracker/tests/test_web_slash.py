"""An address without its last slash."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/accounts/login", "/issues"])
def test_a_page_is_found_without_its_last_slash(client: Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer["Location"]) == (301, f"{path}/")


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/api/v1/auth/me"])
def test_nothing_else_is_redirected(client: Client, path: str) -> None:
    assert client.get(path).status_code in {401, 404}
