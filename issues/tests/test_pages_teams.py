"""The pages of teams, without JavaScript."""

from typing import Any

import pytest

from accounts.models import Team, TeamMembership, User
from accounts.services.teams import add_member, create_team
from accounts.services.users import deactivate_user
from issues.models import Project
from tests.make import caller, make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(maintainer: User) -> Project:
    return make_project("API", by=maintainer)


@pytest.fixture
def team(maintainer: User) -> Team:
    """A team that the maintainer leads."""
    return create_team(by=caller(maintainer), name="Platform")


def test_a_team_is_made_changed_and_deleted(sign_in: Any, maintainer: User, project: Project) -> None:
    browser = sign_in(maintainer)
    reply = browser.post("/teams/", {"name": "Web <ui>", "projects": ["API"]})
    team = Team.objects.get()
    assert reply["Location"] == f"/teams/{team.pk}/"
    page = browser.get(reply["Location"]).content.decode()
    assert "Web &lt;ui&gt;" in page
    assert "/projects/API/" in page
    assert browser.post(reply["Location"], {"name": "Web"})["Location"] == reply["Location"]
    team.refresh_from_db()
    assert (team.name, project.teams.count()) == ("Web", 0)
    assert browser.post(f"/teams/{team.pk}/delete/")["Location"] == "/teams/"
    assert "You are in no team yet." in browser.get("/teams/").content.decode()


def test_members_come_change_and_go(sign_in: Any, maintainer: User, developer: User, team: Team) -> None:
    browser, path = sign_in(maintainer), f"/teams/{team.pk}/members/"
    for role in ("member", "lead"):
        assert browser.post(path, {"user": str(developer.pk), "role": role}).status_code == 302
        assert TeamMembership.objects.get(user=developer).role == role
    assert browser.post(path, {"user": "nobody", "role": "lead"}).status_code == 400
    assert browser.post(f"{path}{developer.pk}/remove/")["Location"] == f"/teams/{team.pk}/#members"
    assert not TeamMembership.objects.filter(user=developer).exists()
    assert browser.post(f"{path}{maintainer.pk}/remove/")["Location"] == "/teams/"
    assert browser.get(f"/teams/{team.pk}/").status_code == 404


def test_who_sees_and_who_changes_a_team(
    client: Any, sign_in: Any, maintainer: User, developer: User, outsider: User, admin: User, team: Team
) -> None:
    path = f"/teams/{team.pk}/"
    assert client.get(path).status_code == 302
    assert sign_in(outsider).get(path).status_code == 404
    assert sign_in(outsider).post("/teams/", {"name": "x"}).status_code == 403
    assert "Platform" not in sign_in(outsider).get("/teams/").content.decode()
    add_member(team.pk, by=caller(maintainer), user_id=developer.pk, role="member")
    browser = sign_in(developer)
    page = browser.get(path).content.decode()
    assert "Mia Maintainer" in page
    assert "Delete the team" not in page
    for address in (path, f"{path}delete/", f"{path}members/", f"{path}members/{maintainer.pk}/remove/"):
        assert browser.post(address, {"name": "x", "user": str(developer.pk)}).status_code == 403
    assert "Platform" in sign_in(admin).get("/teams/").content.decode()


def test_a_refusal_is_told_on_the_page(sign_in: Any, maintainer: User, admin: User, team: Team) -> None:
    make_project("HID", by=admin, visibility="private", lead=admin, teams=[team])
    browser = sign_in(maintainer)
    reply = browser.post(f"/teams/{team.pk}/delete/")
    assert (reply.status_code, "You would lose sight of HID" in reply.content.decode()) == (409, True)
    assert browser.post("/teams/", {"name": "Platform"}).status_code == 409
    assert browser.post(f"/teams/{team.pk}/", {"name": ""}).status_code == 400


def test_who_just_got_an_account_may_join_and_who_was_deactivated_may_not(
    sign_in: Any, maintainer: User, admin: User, team: Team
) -> None:
    browser, path = sign_in(maintainer), f"/teams/{team.pk}/"
    browser.get(path)  # the list of people is kept in memory from here on
    late = make_user("developer", name="Lena Late")
    assert "Lena Late" in browser.get(path).content.decode()
    deactivate_user(late.pk, by=caller(admin))
    assert "Lena Late" not in browser.get(path).content.decode()
