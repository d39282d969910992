"""The session of the pages may use the API, with its CSRF token."""

import json

import pytest
from django.test import Client

from accounts.models import User
from tests.make import make_project

pytestmark = pytest.mark.django_db


def test_a_session_posts_with_its_csrf_token_and_not_without(maintainer: User) -> None:
    make_project("API")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(maintainer)
    browser.get("/issues/new/")
    token = browser.cookies["csrftoken"].value
    body = json.dumps({"project": "API", "title": "From a page"})

    refused = browser.post("/api/v1/issues", body, content_type="application/json")
    assert (refused.status_code, refused.json()["error"]) == (403, "E_FORBIDDEN")
    taken = browser.post(
        "/api/v1/issues", body, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert taken.status_code == 201
