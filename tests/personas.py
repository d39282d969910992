"""The people of the tests: one a role, an outsider who sees no private project, and how they sign in."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Role, User
from tests.make import make_user


@pytest.fixture
def admin(db: Any) -> User:
    """May do everything."""
    return make_user(Role.ADMIN, name="Ada Admin")


@pytest.fixture
def maintainer(db: Any) -> User:
    """Triages and plans."""
    return make_user(Role.MAINTAINER, name="Mia Maintainer")


@pytest.fixture
def developer(db: Any) -> User:
    """Works on issues."""
    return make_user(Role.DEVELOPER, name="Dev Developer")


@pytest.fixture
def reporter(db: Any) -> User:
    """Files issues and sees their own."""
    return make_user(Role.REPORTER, name="Rita Reporter")


@pytest.fixture
def outsider(db: Any) -> User:
    """A reporter who has filed nothing."""
    return make_user(Role.REPORTER, name="Otto Outsider")


@pytest.fixture
def sign_in(client: Client) -> Any:
    """Return a function that gives a Django test client signed in as a person."""

    def signed_in(user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return signed_in
