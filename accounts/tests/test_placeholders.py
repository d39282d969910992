"""People of other systems, and admins made from the command line."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ExternalIdentity, Role, User
from accounts.services.placeholders import ensure_placeholders
from accounts.services.users import edit_user
from accounts.tests.api import send
from tests.make import PASSWORD, caller
from tracker.errors import Invalid, NotAllowed
from tracker.models import Event

pytestmark = pytest.mark.django_db

PEOPLE = [
    ("jdoe", "Jane Doe", "jane@elsewhere.example"),
    ("mute", "", None),
    ("odd", "A\x00\u202eB" * 80, None),
]


def ensure(admin: User, people: Any = PEOPLE, source: str = "jira:apache") -> dict[str, User]:
    """Make sure of people as an import does."""
    return ensure_placeholders(by=caller(admin, "import"), source=source, people=people)


def test_unknown_people_become_inactive_placeholders(admin: User) -> None:
    found = ensure(admin)

    assert found.keys() == {"jdoe", "mute", "odd"}
    jane = User.objects.get(pk=found["jdoe"].pk)
    assert (jane.name, jane.role, jane.is_active, jane.is_placeholder) == (
        "Jane Doe",
        Role.REPORTER,
        False,
        True,
    )
    assert jane.email.endswith("@placeholder.invalid")
    assert not jane.has_usable_password()
    assert [group.name for group in jane.groups.all()] == ["reporter"]
    assert found["mute"].name == "mute"
    assert found["odd"].name == ("AB" * 80)[:100]
    assert Event.objects.filter(verb="user.created", source="import").count() == 3


def test_a_second_time_changes_nothing(admin: User, django_assert_max_num_queries: Any) -> None:
    first = ensure(admin)
    events = Event.objects.count()

    with django_assert_max_num_queries(12):
        assert ensure(admin) == first

    assert User.objects.filter(is_placeholder=True).count() == 3
    assert Event.objects.count() == events


def test_the_same_name_of_another_source_is_another_person(admin: User) -> None:
    assert ensure(admin)["jdoe"] != ensure(admin, source="jira:other")["jdoe"]


def test_an_account_of_the_address_stands_for_the_person(admin: User, developer: User) -> None:
    found = ensure(admin, [("dev", "Whoever", developer.email.upper())])

    assert found == {"dev": developer}
    assert ExternalIdentity.objects.get().user == developer
    assert User.objects.filter(is_placeholder=True).count() == 0


def test_six_hundred_people_are_few_queries(admin: User, django_assert_max_num_queries: Any) -> None:
    people = [(f"user{number}", f"User {number}", f"user{number}@elsewhere.example") for number in range(600)]

    with django_assert_max_num_queries(40):
        assert len(ensure(admin, people)) == 600


def test_a_placeholder_that_gets_an_address_is_an_account(admin: User) -> None:
    jane = ensure(admin)["jdoe"]

    edit_user(jane.pk, by=caller(admin), changes={"email": "jane@example.org", "is_active": True})

    jane.refresh_from_db()
    assert (jane.is_placeholder, jane.is_active) == (False, True)


def test_only_who_manages_users_makes_placeholders(maintainer: User) -> None:
    with pytest.raises(NotAllowed):
        ensure(maintainer)


def test_an_endless_id_is_refused(admin: User) -> None:
    with pytest.raises(Invalid):
        ensure(admin, [("x" * 201, "X", None)])
    assert User.objects.filter(is_placeholder=True).count() == 0


def test_the_command_makes_an_admin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    out = io.StringIO()

    call_command("create_admin", "Root@Example.org", "--name", "Root", "--password-from-stdin", stdout=out)

    assert User.objects.get().role == Role.ADMIN
    assert PASSWORD not in out.getvalue()
    assert send("POST", "auth/login", {"email": "root@example.org", "password": PASSWORD}).status_code == 200


def test_the_command_says_in_a_sentence_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("123\n"))

    with pytest.raises(CommandError, match="password"):
        call_command("create_admin", "root@example.org", "--password-from-stdin")
    assert not User.objects.exists()
