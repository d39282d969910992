"""Two at once, twenty at once: numbers without gaps, one winner, nothing lost. On both databases."""

import json
from collections import Counter
from threading import Event as Signal
from time import sleep
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import Role, User
from issues.models import Issue, IssueAlias, Project
from issues.services.bulk import change_many
from issues.services.issues import edit_issue
from issues.services.projects import archive_project
from tests.make import PASSWORD, caller, make_issue, make_project, make_user
from tests.threads import at_once
from tracker.errors import Conflict
from tracker.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 8
CREATES = 400
ROUNDS = 40


@pytest.fixture
def maintainer_with_project() -> tuple[User, Project]:
    """A maintainer and an empty project."""
    return make_user(Role.MAINTAINER), make_project("RACE")


def signed_in(user: User) -> Client:
    """Return an API client with an access token of its own."""
    browser = Client()
    answer = post(browser, "/api/v1/auth/login", {"email": user.email, "password": PASSWORD})
    assert answer.status_code == 200, answer.content
    return Client(headers={"Authorization": f"Bearer {answer.json()['access']}"})


def post(browser: Client, path: str, body: Any, **headers: str) -> Any:
    """POST JSON."""
    return browser.post(path, json.dumps(body), content_type="application/json", headers=headers)


def test_creates_of_many_clients_are_numbered_without_gaps(
    maintainer_with_project: tuple[User, Project],
) -> None:
    user, project = maintainer_with_project
    clients = [signed_in(user) for _ in range(CLIENTS)]

    def create_many(number: int) -> list[int]:
        share = CREATES // CLIENTS
        return [
            post(
                clients[number], "/api/v1/issues", {"project": "RACE", "title": f"{number}/{turn}"}
            ).status_code
            for turn in range(share)
        ]

    codes = Counter(code for codes in at_once(CLIENTS, create_many) for code in codes)

    assert codes == {201: CREATES}
    numbers = sorted(Issue.objects.filter(project=project).values_list("number", flat=True))
    assert numbers == list(range(1, CREATES + 1))
    events = Event.objects.filter(verb="issue.created", project_id=project.pk)
    assert events.count() == CREATES
    seqs = sorted(seq for seq in Event.objects.values_list("seq", flat=True) if seq is not None)
    assert seqs == list(range(1, len(seqs) + 1))


def test_of_two_edits_from_one_version_one_wins_and_none_is_lost(
    maintainer_with_project: tuple[User, Project],
) -> None:
    user, project = maintainer_with_project
    issue = make_issue(project, by=user)
    clients = [signed_in(user), signed_in(user)]
    won: list[str] = []
    for turn in range(ROUNDS):
        version = Issue.objects.get(pk=issue.pk).version

        def edit(number: int, turn: int = turn, version: int = version) -> tuple[int, str, Any]:
            title = f"round {turn} by {number}"
            answer = clients[number].patch(
                f"/api/v1/issues/RACE-{issue.number}",
                json.dumps({"title": title}),
                content_type="application/json",
                headers={"If-Match": f'"{version}"'},
            )
            return answer.status_code, title, answer.json()

        answers = at_once(2, edit)
        assert sorted(code for code, _, _ in answers) == [200, 412]
        winner = next(title for code, title, _ in answers if code == 200)
        refusal = next(body for code, _, body in answers if code == 412)
        assert refusal["error"] == "E_STALE"
        assert refusal["details"]["current"]["title"] == winner
        won.append(winner)

    told = Event.objects.filter(issue_id=issue.pk, verb="issue.title_changed").order_by("order")
    assert [event.changes["title"][1] for event in told] == won
    assert Issue.objects.get(pk=issue.pk).version == ROUNDS + 1


def test_of_twenty_uses_of_a_refresh_token_one_wins_and_the_family_ends() -> None:
    user = make_user()
    body = {"email": user.email, "password": PASSWORD}
    first = post(Client(), "/api/v1/auth/login", body).json()

    def refresh(_: int) -> tuple[int, Any]:
        answer = post(Client(), "/api/v1/auth/refresh", {"refresh": first["refresh"]})
        return answer.status_code, answer.json()

    answers = at_once(20, refresh)

    assert Counter(code for code, _ in answers) == {200: 1, 401: 19}
    for access in (first["access"], next(body["access"] for code, body in answers if code == 200)):
        assert Client(headers={"Authorization": f"Bearer {access}"}).get("/api/v1/auth/me").status_code == 401


def test_of_twenty_uses_of_an_idempotency_key_one_issue_comes(
    maintainer_with_project: tuple[User, Project],
) -> None:
    user, project = maintainer_with_project
    clients = [signed_in(user) for _ in range(20)]
    body = {"project": "RACE", "title": "Only one"}

    def create(number: int) -> tuple[int, Any]:
        answer = post(clients[number], "/api/v1/issues", body, **{"Idempotency-Key": "the-one"})
        return answer.status_code, answer.json()

    answers = at_once(20, create)

    assert Issue.objects.filter(project=project).count() == 1
    assert {code for code, _ in answers} <= {201, 409}
    assert len({body["key"] for code, body in answers if code == 201}) == 1
    again = post(clients[0], "/api/v1/issues", body, **{"Idempotency-Key": "the-one"})
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")


def test_a_project_is_archived_after_the_edits_under_way_and_before_all_later_ones(
    maintainer_with_project: tuple[User, Project],
) -> None:
    user, project = maintainer_with_project
    issue = make_issue(project, by=user)
    edited, ended = Signal(), []

    def edit(title: str) -> None:
        edit_issue(issue.pk, by=caller(user), changes={"title": title})

    def act(number: int) -> None:
        if number == 0:
            with transaction.atomic():
                edit("while it is active")
                edited.set()
                sleep(0.2)
                ended.append("edit")
        else:
            edited.wait(10)
            archive_project(project.pk, by=caller(user))
            ended.append("archive")

    at_once(2, act)

    assert ended == ["edit", "archive"]
    with pytest.raises(Conflict):
        edit("too late")


def test_an_edit_waits_for_an_archiving_that_is_under_way_and_is_refused(
    maintainer_with_project: tuple[User, Project],
) -> None:
    user, project = maintainer_with_project
    issue = make_issue(project, by=user)
    archived = Signal()

    def act(number: int) -> str:
        by = caller(User.objects.get(pk=user.pk))
        if number == 0:
            with transaction.atomic():
                archive_project(project.pk, by=by)
                archived.set()
                sleep(0.2)
            return "archived"
        archived.wait(10)
        try:
            edit_issue(issue.pk, by=by, changes={"title": "too late"})
        except Conflict:
            return "refused"
        return "edited"

    assert at_once(2, act) == ["archived", "refused"]
    assert Issue.objects.get(pk=issue.pk).title == issue.title


def test_moves_and_creates_at_once_give_numbers_without_gap_or_duplicate(
    maintainer_with_project: tuple[User, Project],
) -> None:
    user, project = maintainer_with_project
    source = make_project("SRC")
    issues = [make_issue(source, by=user) for _ in range(12)]

    def act(number: int) -> None:
        for issue in issues[number % 3 :: 3]:  # two threads move each issue, two more file new ones
            if number < 6:
                edit_issue(issue.pk, by=caller(user), changes={"project": "RACE"})
            else:
                make_issue(project, by=user)

    at_once(8, act)

    numbers = sorted(Issue.objects.filter(project=project).values_list("number", flat=True))
    assert numbers == list(range(1, 12 + 8 + 1))
    moves = Event.objects.filter(verb="issue.moved")
    assert sorted(event.changes["key"][0] for event in moves) == sorted(f"SRC-{n}" for n in range(1, 13))
    assert sorted(IssueAlias.objects.values_list("key", flat=True)) == sorted(
        f"SRC-{number}" for number in range(1, 13)
    )
    assert set(Issue.objects.values_list("version", flat=True)) == {1, 2}


def test_two_moves_at_once_to_two_projects_happen_one_after_the_other(
    maintainer_with_project: tuple[User, Project],
) -> None:
    user, project = maintainer_with_project
    others = [make_project("ONE"), make_project("TWO")]
    issue = make_issue(project, by=user)

    at_once(2, lambda number: edit_issue(issue.pk, by=caller(user), changes={"project": others[number].key}))

    issue.refresh_from_db()
    keys = [event.changes["key"] for event in Event.objects.filter(verb="issue.moved").order_by("order")]
    assert keys[0][0] == f"RACE-{issue.number}"
    assert keys[0][1] == keys[1][0]
    assert keys[1][1] == f"{issue.project.key}-1"
    assert (issue.version, IssueAlias.objects.count()) == (3, 2)


def test_a_move_and_an_archiving_of_its_target_end_one_way_or_the_other(
    maintainer_with_project: tuple[User, Project],
) -> None:
    user, project = maintainer_with_project
    target = make_project("ARCH")
    issues = [make_issue(project, by=user) for _ in range(10)]

    def act(number: int) -> list[str]:
        if number == 0:
            archive_project(target.pk, by=caller(user))
            return []
        ended = []
        for issue in issues:
            try:
                edit_issue(issue.pk, by=caller(user), changes={"project": "ARCH"})
            except Conflict:
                ended.append("refused")
            else:
                ended.append("moved")
        return ended

    ended = at_once(2, act)[1]

    assert Issue.objects.filter(project=target).count() == ended.count("moved")
    assert "moved" not in ended[ended.index("refused") :] if "refused" in ended else True
    target.refresh_from_db()
    assert target.next_number == ended.count("moved") + 1


def test_bulk_changes_of_the_same_issues_in_opposite_order_wait_for_each_other(
    maintainer_with_project: tuple[User, Project],
) -> None:
    user, project = maintainer_with_project
    issues = [make_issue(project, by=user).pk for _ in range(20)]

    def act(number: int) -> int:
        ordered = issues if number % 2 else issues[::-1]
        report = change_many(ordered, by=caller(user), changes={"estimate": number + 1})
        return sum(outcome.is_changed for outcome in report.outcomes)

    assert at_once(4, act) == [20] * 4
    events = Event.objects.filter(verb="issue.estimate_changed").order_by("issue_id", "order")
    assert events.count() == 80
    assert set(Issue.objects.values_list("version", flat=True)) == {5}
    for issue in Issue.objects.all():
        told = [event.changes["estimate"] for event in events.filter(issue_id=issue.pk)]
        assert [before for before, _ in told] == [None, *(after for _, after in told[:-1])]
