import pytest

from accounts.models import Role, Team, TeamMembership, TeamRole, User
from issues.models import Project, ProjectTeam
from issues.services.presets import PRESETS
from issues.services.projects import archive_project, create_project, edit_project, unarchive_project
from tests.make import caller, make_issue, make_project, make_user
from tracker.errors import Conflict, Invalid, NotAllowed, NotFound
from tracker.models import Event

pytestmark = pytest.mark.django_db


def make_team(name: str, *, lead: User | None = None) -> Team:
    """Put a team straight into the database: these tests are about projects."""
    team = Team.objects.create(name=name)
    if lead:
        TeamMembership.objects.create(team=team, user=lead, role=TeamRole.LEAD)
    return team


def verbs(project: Project) -> list[str]:
    return list(Event.objects.filter(project_id=project.pk).order_by("order").values_list("verb", flat=True))


@pytest.mark.parametrize(
    ("preset", "slugs", "steps"),
    [
        ("triage", ["open", "triaged", "in_progress", "done"], 9),
        ("kanban", ["backlog", "todo", "in_progress", "done", "canceled"], 20),
        ("service_desk", ["open", "in_progress", "blocked", "closed"], 9),
    ],
)
def test_a_project_starts_with_a_copy_of_its_preset(
    admin: User, preset: str, slugs: list[str], steps: int
) -> None:
    project = make_project("API", by=admin, preset=preset)
    statuses = project.statuses.order_by("position")
    assert [status.slug for status in statuses] == slugs
    assert [status.slug for status in statuses if status.is_initial] == slugs[:1]
    assert project.transitions.count() == steps
    assert verbs(project) == ["project.created"]


def test_the_steps_of_triage_are_those_of_the_seeds() -> None:
    assert PRESETS["triage"].steps == {
        "open": ("triaged", "in_progress"),
        "triaged": ("in_progress", "open"),
        "in_progress": ("done", "triaged", "open"),
        "done": ("in_progress", "open"),
    }


@pytest.mark.parametrize("role", [Role.REPORTER, Role.DEVELOPER])
def test_who_only_files_or_works_makes_no_project(role: str) -> None:
    with pytest.raises(NotAllowed):
        create_project(by=caller(make_user(role)), key="API", name="Public API")


@pytest.mark.parametrize("key", ["A", "api", "1API", "A" * 21, "A-B", "ÄPI", "API\n", "", None, 7])
def test_a_bad_key_is_refused(admin: User, key: object) -> None:
    with pytest.raises(Invalid) as refusal:
        create_project(by=caller(admin), key=key, name="Public API")  # type: ignore[arg-type]
    assert "key" in refusal.value.fields


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "), ("name", "x" * 101), ("name", "a\x00b"), ("visibility", "public"),
        ("time_zone", "Mars/Base"), ("time_zone", "../etc/passwd"), ("reporters_see_all", "yes"),
        ("description", "x" * 70_000),
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_by_name(admin: User, field: str, value: object) -> None:
    with pytest.raises(Invalid) as refusal:
        create_project(by=caller(admin), **({"key": "API", "name": "Public API"} | {field: value}))  # type: ignore[arg-type]
    assert list(refusal.value.fields) == [field]
    assert not Project.objects.exists()


def test_an_unknown_preset_is_refused(admin: User) -> None:
    with pytest.raises(Invalid, match="workflow_preset"):
        make_project("API", by=admin, preset="scrum")


def test_a_key_is_given_once(admin: User) -> None:
    make_project("API", by=admin)
    with pytest.raises(Conflict):
        make_project("API", by=admin)
    assert Project.objects.count() == 1


def test_who_makes_a_private_project_leads_it(maintainer: User) -> None:
    project = make_project("SEC", by=maintainer, visibility="private")
    assert project.lead == maintainer
    assert Project.objects.visible_to(caller(maintainer).user).exists()


def test_an_admin_sees_private_projects_without_leading_them(admin: User) -> None:
    assert make_project("SEC", by=admin, visibility="private").lead is None


def test_an_edit_tells_what_changed_and_only_that(admin: User) -> None:
    project = make_project("API", by=admin, name="Old")
    edit_project(project.pk, by=caller(admin), changes={"name": "New", "time_zone": "UTC"})
    event = Event.objects.get(verb="project.updated")
    assert event.changes == {"name": ["Old", "New"]}
    assert event.actor_id == admin.pk


def test_an_edit_that_changes_nothing_makes_no_event(admin: User) -> None:
    project = make_project("API", by=admin, name="Same")
    edit_project(project.pk, by=caller(admin), changes={"name": " Same ", "lead": None, "teams": []})
    assert verbs(project) == ["project.created"]


def test_a_change_of_who_sees_a_project_is_told_apart(admin: User, maintainer: User) -> None:
    project = make_project("API", by=admin)
    team = make_team("Core")
    changes = {"visibility": "private", "lead": maintainer, "teams": [team], "name": "Hidden"}
    edit_project(project.pk, by=caller(admin), changes=changes)
    assert verbs(project) == ["project.created", "project.updated", "project.visibility_changed"]
    told = Event.objects.get(verb="project.visibility_changed").changes
    assert told["visibility"] == ["internal", "private"]
    assert told["lead"] == [None, {"id": str(maintainer.pk), "name": maintainer.name}]
    assert told["teams"] == [[], [{"id": str(team.pk), "name": "Core"}]]


def test_a_change_of_visibility_counts_at_once(admin: User, maintainer: User) -> None:
    project = make_project("API", by=admin)
    assert Project.objects.visible_to(caller(maintainer).user).exists()
    edit_project(project.pk, by=caller(admin), changes={"visibility": "private"})
    assert not Project.objects.visible_to(caller(maintainer).user).exists()
    with pytest.raises(NotFound):
        edit_project(project.pk, by=caller(maintainer), changes={"name": "Mine"})


def test_a_maintainer_adds_only_teams_that_they_lead(admin: User, maintainer: User) -> None:
    led, other = make_team("Led", lead=maintainer), make_team("Other")
    project = make_project("API", by=admin)
    edit_project(project.pk, by=caller(maintainer), changes={"teams": [led]})
    assert list(project.teams.all()) == [led]
    with pytest.raises(NotAllowed) as refusal:
        edit_project(project.pk, by=caller(maintainer), changes={"teams": [led, other]})
    assert list(refusal.value.fields) == ["teams"]
    edit_project(project.pk, by=caller(admin), changes={"teams": [other]})
    edit_project(project.pk, by=caller(maintainer), changes={"teams": [other, led]})
    assert ProjectTeam.objects.filter(project=project).count() == 2


def test_nobody_hides_a_project_from_themselves(maintainer: User) -> None:
    project = make_project("SEC", by=maintainer, visibility="private")
    with pytest.raises(Invalid, match="lose sight"):
        edit_project(project.pk, by=caller(maintainer), changes={"lead": None})


def test_a_lead_must_be_active(admin: User) -> None:
    gone = make_user(Role.DEVELOPER, is_active=False)
    project = make_project("API", by=admin)
    with pytest.raises(Invalid) as refusal:
        edit_project(project.pk, by=caller(admin), changes={"lead": gone})
    assert list(refusal.value.fields) == ["lead"]


@pytest.mark.parametrize("role", [Role.REPORTER, Role.DEVELOPER])
def test_who_may_not_manage_changes_no_project(role: str, admin: User) -> None:
    project, person = make_project("API", by=admin), make_user(role)
    with pytest.raises(NotAllowed):
        edit_project(project.pk, by=caller(person), changes={"name": "Mine"})
    with pytest.raises(NotAllowed):
        archive_project(project.pk, by=caller(person))


def test_an_archived_project_is_read_only_until_it_is_restored(admin: User) -> None:
    project = make_project("API", by=admin)
    archive_project(project.pk, by=caller(admin))
    archive_project(project.pk, by=caller(admin))
    with pytest.raises(Conflict):
        edit_project(project.pk, by=caller(admin), changes={"name": "New"})
    with pytest.raises(Conflict):
        make_issue(project, by=admin)
    unarchive_project(project.pk, by=caller(admin))
    make_issue(project, by=admin)
    assert verbs(project) == ["project.created", "project.archived", "project.restored", "issue.created"]
