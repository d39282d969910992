"""Accounts: who may see, make and change which, and the last admin."""

import uuid
from typing import Any

import pytest

from accounts.models import Role, User
from accounts.services.roles import set_role_permissions
from accounts.services.users import create_user, deactivate_user, edit_user, set_role
from accounts.tests.api import access, send
from tests.make import PASSWORD, caller, fresh, make_user
from tests.threads import at_once
from tracker.caller import Caller
from tracker.errors import Conflict, DomainError, Invalid, NotAllowed
from tracker.models import Event
from tracker.versions import current

pytestmark = pytest.mark.django_db


def verbs(user: User) -> list[str]:
    """What the log says of an account since it was made."""
    rows = Event.objects.filter(subject_id=user.pk).order_by("order").values_list("verb", flat=True)
    return [verb for verb in rows if verb != "user.created"]


# --- one's own --------------------------------------------------------------------------------------
def test_one_reads_and_changes_ones_own_account(reporter: User) -> None:
    token = access(reporter)
    read = send("GET", "auth/me", token=token).json()

    for path in ("auth/me", "users/me", f"users/{reporter.pk}"):
        changes = {"name": f"Rita {path}", "time_zone": "Asia/Kathmandu", "language": "de"}
        response = send("PATCH", path, changes, token=token)
        assert response.status_code == 200
        assert response.json() == read | changes
        assert send("GET", path, token=token).json() == read | changes


def test_what_was_read_may_be_sent_back(reporter: User) -> None:
    token = access(reporter)
    read = send("GET", "auth/me", token=token).json()

    response = send("PUT", "auth/me", read, token=token)

    assert response.status_code == 200
    assert response.json() == read
    assert verbs(reporter) == []


def test_a_put_without_a_field_leaves_it(reporter: User) -> None:
    response = send("PUT", "auth/me", {"language": "de"}, token=access(reporter))

    assert response.status_code == 200
    assert response.json()["name"] == reporter.name


@pytest.mark.parametrize("changes", [{"role": "admin"}, {"is_active": False}, {"email": "other@example.org"}])
def test_what_only_an_admin_sets_is_refused_by_name(reporter: User, changes: dict[str, Any]) -> None:
    response = send("PATCH", "auth/me", changes, token=access(reporter))

    assert response.status_code == 403
    assert response.json()["details"]["fields"].keys() == changes.keys()
    assert fresh(reporter).role == Role.REPORTER


def test_staff_superuser_and_id_are_ignored(reporter: User) -> None:
    sent = {
        "is_staff": True,
        "is_superuser": True,
        "id": str(uuid.uuid4()),
        "user_id": "x",
        "created_at": "x",
    }

    assert send("PATCH", "auth/me", sent, token=access(reporter)).status_code == 200

    found = fresh(reporter)
    assert (found.is_superuser, found.is_staff) == (False, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"language": "xx"},
        {"name": ""},
        {"name": "   "},
        {"name": 3},
        {"shoe": 42},
        {"avatar": "x"},
    ],
)
def test_a_bad_value_is_named(reporter: User, changes: dict[str, Any]) -> None:
    response = send("PATCH", "auth/me", changes, token=access(reporter))

    assert response.status_code == 400
    assert response.json()["details"]["fields"].keys() == changes.keys()


def test_one_may_take_ones_own_account_out_of_use(reporter: User) -> None:
    token = access(reporter)

    assert send("DELETE", f"users/{reporter.pk}", token=token).status_code == 204
    assert send("GET", "auth/me", token=token).status_code == 401


# --- others' -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", [Role.REPORTER, Role.DEVELOPER, Role.MAINTAINER])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_another_account_and_an_absent_one_are_the_same(role: str, method: str, admin: User) -> None:
    token = access(make_user(role))
    body = None if method in {"GET", "DELETE"} else {"name": "x"}

    answers = [send(method, f"users/{key}", body, token=token) for key in (admin.pk, uuid.uuid4())]

    assert [answer.status_code for answer in answers] == [404, 404]
    first, second = (answer.json() | {"request_id": ""} for answer in answers)
    assert first == second


@pytest.mark.parametrize("role", [Role.REPORTER, Role.DEVELOPER, Role.MAINTAINER])
def test_only_admins_list_and_make_accounts(role: str) -> None:
    token = access(make_user(role))

    assert send("GET", "users", token=token).status_code == 403
    assert send("POST", "users", {"nonsense": 1}, token=token).status_code == 403


def test_nobody_gets_in_without_an_identity(reporter: User) -> None:
    for path in ("users", "users/me", "auth/me", f"users/{reporter.pk}"):
        assert send("GET", path).status_code == 401


def test_an_admin_makes_an_account(admin: User) -> None:
    body = {"email": "Dev@Example.org", "name": "Dev", "role": "developer", "password": PASSWORD}

    response = send("POST", "users", body, token=access(admin))

    assert response.status_code == 201
    assert response.json()["email"] == "dev@example.org"
    assert response.json()["role"] == "developer"
    assert send("POST", "auth/login", {"email": "dev@example.org", "password": PASSWORD}).status_code == 200
    event = Event.objects.get(verb="user.created", subject_id=response.json()["id"])
    assert event.actor_id == admin.pk
    assert PASSWORD not in str(event.data)


def test_an_address_is_taken_once(admin: User, reporter: User) -> None:
    token = access(admin)

    assert send("POST", "users", {"email": reporter.email.upper()}, token=token).status_code == 409
    assert send("PATCH", f"users/{admin.pk}", {"email": reporter.email}, token=token).status_code == 409


def test_an_admin_changes_address_role_and_activity(admin: User, reporter: User) -> None:
    token, before = access(admin), current()

    changes = {"email": "new@example.org", "role": "maintainer", "is_active": False, "name": "New"}
    response = send("PATCH", f"users/{reporter.pk}", changes, token=token)

    assert response.status_code == 200
    assert {name: response.json()[name] for name in changes} == changes
    assert [group.name for group in fresh(reporter).groups.all()] == ["maintainer"]
    assert verbs(reporter) == ["user.role_changed", "user.deactivated", "user.changed"]
    assert Event.objects.get(verb="user.role_changed").changes == {"role": ["reporter", "maintainer"]}
    assert before.rights != current().rights
    assert before.people != current().people


def test_a_change_that_changes_nothing_leaves_no_trace(admin: User, reporter: User) -> None:
    before = current()

    edit_user(reporter.pk, by=caller(admin), changes={"name": f" {reporter.name} ", "role": "reporter"})

    assert verbs(reporter) == []
    assert current() == before


def test_the_list_is_filtered_sorted_and_paged(admin: User, reporter: User, developer: User) -> None:
    token = access(admin)
    deactivate_user(reporter.pk, by=caller(admin))

    def ids(query: str) -> list[str]:
        return [row["id"] for row in send("GET", f"users?{query}", token=token).json()["results"]]

    assert ids("role=developer") == [str(developer.pk)]
    assert ids("is_active=false") == [str(reporter.pk)]
    assert ids("search=DEV DEV") == [str(developer.pk)]
    assert ids("search=developer%25") == []
    assert ids("sort=name") == [
        str(user.pk) for user in sorted([admin, reporter, developer], key=lambda u: u.name)
    ]
    page = send("GET", "users?page=1&size=2", token=token).json()
    assert page["count"] == 3
    assert len(page["results"]) == 2
    assert send("GET", "users?role=king", token=token).status_code == 400
    assert send("GET", "users?sort=password", token=token).status_code == 400
    assert send("GET", "users?password__startswith=a", token=token).status_code == 400


# --- the last admin ----------------------------------------------------------------------------------
@pytest.mark.parametrize("changes", [{"role": "maintainer"}, {"is_active": False}])
def test_the_only_admin_stays(admin: User, changes: dict[str, Any]) -> None:
    make_user(Role.ADMIN, is_active=False)

    response = send("PATCH", f"users/{admin.pk}", changes, token=access(admin))

    assert response.status_code == 409
    assert send("DELETE", f"users/{admin.pk}", token=access(admin)).status_code == 409
    assert fresh(admin).is_staff


def test_an_admin_may_go_where_there_is_another(admin: User) -> None:
    other = make_user(Role.ADMIN)

    set_role(other.pk, by=caller(other), role=Role.DEVELOPER)

    assert fresh(other).role == Role.DEVELOPER
    with pytest.raises(Conflict):
        deactivate_user(admin.pk, by=caller(admin))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["demote", "deactivate"])
def test_of_two_admins_who_put_each_other_down_at_once_one_stays(act: str) -> None:
    for _ in range(5):
        User.objects.all().delete()
        pair = [make_user(Role.ADMIN), make_user(Role.ADMIN)]
        callers = [caller(user) for user in pair]

        def put_down(number: int, pair: list[User] = pair, callers: list[Caller] = callers) -> str:
            target = pair[1 - number].pk
            try:
                if act == "demote":
                    set_role(target, by=callers[number], role=Role.REPORTER)
                else:
                    deactivate_user(target, by=callers[number])
            except DomainError as error:
                return error.code
            return "done"

        assert sorted(at_once(2, put_down)) == ["E_CONFLICT", "done"]
        assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1


# --- the service ----------------------------------------------------------------------------------------
def test_an_account_made_by_a_reporter_is_refused(reporter: User) -> None:
    with pytest.raises(NotAllowed):
        create_user(by=caller(reporter), email="x@example.org", name="X")


def test_sample_accounts_pass_by_the_validators_outside_production_only(admin: User, settings: Any) -> None:
    by = Caller(user=admin, source="seed")
    create_user(by=by, email="sample@example.com", name="Sample", password="password")

    settings.TRACKER_ENV = "production"
    with pytest.raises(Invalid):
        create_user(by=by, email="other@example.com", name="Other", password="password")


def test_exactly_one_role_group_mirrors_the_role(admin: User) -> None:
    user = make_user()
    for role in (Role.DEVELOPER, Role.ADMIN, Role.MAINTAINER):
        set_role(user.pk, by=caller(admin), role=role)
        assert [group.name for group in user.groups.all()] == [role]


def test_an_admin_takes_a_permission_from_a_role_and_it_counts_at_once(admin: User, maintainer: User) -> None:
    token, before = access(maintainer), current().rights
    assert send("POST", "teams", {"name": "One"}, token=token).status_code == 201

    set_role_permissions("maintainer", by=caller(admin), permissions=["issues.add_comment"])

    assert send("POST", "teams", {"name": "Two"}, token=token).status_code == 403
    assert current().rights != before
    event = Event.objects.get(verb="role.permissions_changed")
    assert event.data == {"role": "maintainer"}
    assert event.changes["permissions"][1] == ["issues.add_comment"]


def test_admins_keep_the_right_to_manage_users(admin: User) -> None:
    with pytest.raises(Conflict):
        set_role_permissions("admin", by=caller(admin), permissions=["accounts.create_team"])
    with pytest.raises(Invalid):
        set_role_permissions("developer", by=caller(admin), permissions=["accounts.fly"])


def test_only_admins_change_roles(maintainer: User) -> None:
    with pytest.raises(NotAllowed):
        set_role_permissions("reporter", by=caller(maintainer), permissions=["accounts.manage_users"])
