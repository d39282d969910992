"""What a socket says and takes: identity, subscription, replay, live, limits, close codes."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from accounts.rights import rights_of
from accounts.services.passwords import set_password
from accounts.services.roles import set_role_permissions
from accounts.services.sessions import sign_out
from accounts.services.teams import add_member, create_team, delete_team, remove_member
from accounts.services.tickets import issue_ticket
from accounts.services.users import deactivate_user, set_role
from issues.events.log import WINDOW, sight_may_differ
from issues.live import sockets
from issues.live.asking import read_missed
from issues.models import Issue, Project
from issues.scope import scope_of
from issues.services.comments import delete_comment, edit_comment
from issues.services.issues import change_status, edit_issue, restore_issue, trash_issue
from issues.services.projects import edit_project
from issues.services.watchers import share_issue, unshare_issue
from issues.tests.live import LiveLoop, TestSocket, tokens_of
from tests.make import caller, fresh, make_comment, make_issue, make_project
from tracker.events.numbering import head
from tracker.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

ISSUE_FIELDS = {
    "id", "key", "url", "project", "title", "type", "status", "severity", "priority", "assignee", "reporter",
    "labels", "version", "updated_at",
}  # fmt: skip


@pytest.fixture
def live(transactional_db: None) -> Iterator[LiveLoop]:
    """The application, and the sockets that a test opens."""
    loop = LiveLoop()
    yield loop
    loop.stop()


@pytest.fixture
def project(admin: User) -> Project:
    """An internal project."""
    return make_project("API", by=admin)


def signed_in(live: LiveLoop, user: User, path: str = "/ws/") -> TestSocket:
    """Open a socket and name oneself in the first frame."""
    socket = live.connect(path)
    socket.send({"type": "auth", "token": tokens_of(user).access})
    assert socket.receive() == {"type": "authenticated", "user": {"id": str(user.pk), "name": user.name}}
    return socket


def events(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the events."""
    return [frame for frame in frames if frame["type"] == "event"]


# --- identity ----------------------------------------------------------------------------------------
def test_a_token_in_the_first_frame_is_an_identity(live: LiveLoop, developer: User) -> None:
    socket = signed_in(live, developer)
    (ready,) = socket.subscribe()
    log = head()
    assert ready == {"type": "ready", "seq": log.last_seq, "log": str(log.log_id)}


@pytest.mark.parametrize("token", ["", "rubbish", None, 7, {"a": 1}])
def test_a_bad_token_ends_with_4401(live: LiveLoop, db: None, token: object) -> None:
    socket = live.connect()
    socket.send({"type": "auth", "token": token})
    assert socket.closed_with() == 4401


def test_another_frame_before_an_identity_ends_with_4401(live: LiveLoop, db: None) -> None:
    socket = live.connect()
    socket.send({"type": "subscribe"})
    assert socket.closed_with() == 4401


def test_silence_before_an_identity_ends_with_4401(
    live: LiveLoop, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "IDENTITY_SECONDS", 0.2)
    assert live.connect().closed_with() == 4401


def test_a_ticket_opens_one_socket(live: LiveLoop, developer: User) -> None:
    family = tokens_of(developer)
    from accounts.tokens import TokenType, decode

    ticket = issue_ticket(developer, family_id=decode(TokenType.ACCESS, family.access).family_id)
    assert live.connect(f"/ws/?ticket={ticket}").subscribe()[-1]["type"] == "ready"
    assert live.connect(f"/ws/?ticket={ticket}").closed_with() == 4401


def test_a_client_that_names_itself_in_the_address_need_not_subscribe(
    live: LiveLoop, developer: User, project: Project
) -> None:
    socket = live.connect(f"/ws?token={tokens_of(developer).access}")
    issue = make_issue(project, by=developer)
    frames = socket.receive_until("ready")
    frames += [] if events(frames) else [socket.receive()]
    assert [frame["issue"]["id"] for frame in events(frames)] == [str(issue.pk)]


def test_a_session_opens_a_socket_of_this_host_on_any_port_and_of_no_other(
    live: LiveLoop, developer: User, sign_in: Any, settings: Any
) -> None:
    cookie = f"sessionid={sign_in(developer).cookies['sessionid'].value}"
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    for origin in ("http://testserver:8123", settings.BASE_URL, "https://app.example.org"):
        assert live.connect(cookie=cookie, origin=origin).subscribe()[-1]["type"] == "ready", origin
    for origin in (
        "http://evil.example",
        "null",
        "https://app.example.org.evil.example",
        "file://testserver",
    ):
        assert live.connect(cookie=cookie, origin=origin).closed_with() == 4403, origin


def test_the_origin_does_not_matter_to_a_client_with_a_token(live: LiveLoop, developer: User) -> None:
    socket = live.connect(origin="http://evil.example")
    socket.send({"type": "auth", "token": tokens_of(developer).access})
    assert socket.receive()["type"] == "authenticated"


# --- what is sent ------------------------------------------------------------------------------------
def test_a_change_reaches_an_open_socket_with_every_field(
    live: LiveLoop, developer: User, maintainer: User, project: Project
) -> None:
    issue = make_issue(project, by=developer)
    socket = signed_in(live, developer)
    socket.subscribe()
    change_status(issue.pk, by=caller(maintainer), to="triaged")
    frame = socket.receive(1.0)
    assert frame["type"] == "event"
    assert (frame["event"], frame["verb"]) == ("ISSUE_UPDATED", "issue.status_changed")
    assert frame["actor"] == {"id": str(maintainer.pk), "name": maintainer.name}
    assert frame["changes"] == {"status": ["open", "triaged"]}
    assert set(frame["issue"]) == ISSUE_FIELDS
    assert frame["issue"]["status"]["slug"] == "triaged"
    assert set(frame) == {"type", "seq", "event", "verb", "at", "actor", "issue", "changes"}


def test_what_was_missed_comes_first_and_in_order(live: LiveLoop, developer: User, project: Project) -> None:
    since = head().last_seq
    issues = [make_issue(project, by=developer, title=f"Number {number}") for number in range(5)]
    socket = signed_in(live, developer)
    frames = socket.subscribe(since=since, log=str(head().log_id))
    assert [frame["issue"]["id"] for frame in events(frames)] == [str(issue.pk) for issue in issues]
    seqs = [frame["seq"] for frame in events(frames)]
    assert seqs == sorted(seqs)
    assert frames[-1]["seq"] == head().last_seq


def test_a_long_absence_is_replayed_page_by_page(
    live: LiveLoop, developer: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("issues.live.attachment.NEAR", 3)
    monkeypatch.setattr("issues.live.feed.PAGE", 4)
    since = head().last_seq
    issues = [make_issue(project, by=developer) for _ in range(15)]
    socket = signed_in(live, developer)
    frames = socket.subscribe(since=since)
    assert [frame["issue"]["id"] for frame in events(frames)] == [str(issue.pk) for issue in issues]
    later = make_issue(project, by=developer)
    assert socket.receive()["issue"]["id"] == str(later.pk)


def test_comments_come_as_they_are_when_sent(live: LiveLoop, developer: User, project: Project) -> None:
    issue = make_issue(project, by=developer)
    since = head().last_seq
    comment = make_comment(issue, by=developer, body="first words")
    edit_comment(comment.pk, by=caller(developer), body="second words")
    socket = signed_in(live, developer)
    added, edited = events(socket.subscribe(since=since))
    assert (added["event"], edited["event"]) == ("COMMENT_ADDED", "COMMENT_UPDATED")
    assert added["comment"]["body"] == edited["comment"]["body"] == "second words"
    delete_comment(comment.pk, by=caller(developer))
    gone = socket.receive()
    assert gone["event"] == "COMMENT_DELETED"
    assert (gone["comment"]["deleted"], gone["comment"]["body"]) == (True, "")
    assert "words" not in str(socket.subscribe(since=since))


def test_a_trashed_issue_is_deleted_with_id_and_key_alone(
    live: LiveLoop, admin: User, developer: User, project: Project
) -> None:
    issue = make_issue(project, by=developer)
    socket = signed_in(live, developer)
    socket.subscribe()
    trash_issue(issue.pk, by=caller(admin))
    frame = socket.receive()
    assert (frame["event"], frame["verb"]) == ("ISSUE_DELETED", "issue.trashed")
    assert frame["issue"] == {"id": str(issue.pk), "key": "API-1"}
    restore_issue(issue.pk, by=caller(admin))
    assert socket.receive()["event"] == "ISSUE_CREATED"


def test_who_may_not_see_the_trash_is_not_told_what_was_in_it(
    live: LiveLoop, admin: User, developer: User, project: Project
) -> None:
    since = head().last_seq
    issue = make_issue(project, by=developer, title="Secret words")
    trash_issue(issue.pk, by=caller(admin))
    for person, verbs in ((developer, ["issue.trashed"]), (admin, ["issue.created", "issue.trashed"])):
        frames = events(signed_in(live, person).subscribe(since=since))
        assert [frame["verb"] for frame in frames] == verbs
        assert ("Secret" in str(frames)) == (person is admin)


# --- what is asked for -------------------------------------------------------------------------------
def test_a_subscription_to_projects_brings_only_theirs(live: LiveLoop, developer: User, admin: User) -> None:
    here, there = make_project("HERE", by=admin), make_project("THERE", by=admin)
    socket = signed_in(live, developer)
    socket.subscribe(projects=["HERE"])
    make_issue(there, by=developer)
    wanted = make_issue(here, by=developer)
    assert socket.receive()["issue"]["id"] == str(wanted.pk)


def test_a_query_brings_only_what_matches(live: LiveLoop, developer: User, project: Project) -> None:
    socket = signed_in(live, developer)
    socket.subscribe(q="severity:critical")
    make_issue(project, by=developer, severity="low")
    wanted = make_issue(project, by=developer, severity="critical")
    assert socket.receive()["issue"]["id"] == str(wanted.pk)


@pytest.mark.parametrize(
    "wrong",
    [
        {"projects": ["NOWHERE"]}, {"projects": "API"}, {"projects": [1]}, {"projects": []},
        {"since": -1}, {"since": "1"}, {"since": True}, {"since": 2**63}, {"log": "x"},
        {"q": 1}, {"q": "nofield:x"}, {"q": "status:nosuch"},
    ],
)  # fmt: skip
def test_a_bad_subscription_is_refused_and_the_old_one_stays(
    live: LiveLoop, developer: User, project: Project, wrong: dict[str, Any]
) -> None:
    socket = signed_in(live, developer)
    socket.subscribe(projects=["API"])
    socket.send({"type": "subscribe", **wrong})
    error = socket.receive()
    assert (error["type"], error["error"]) == ("error", "E_VALIDATION")
    assert error["message"]
    make_issue(project, by=developer)
    assert socket.receive()["type"] == "event"


def test_a_later_subscription_replaces_the_earlier_one(live: LiveLoop, developer: User, admin: User) -> None:
    here, there = make_project("HERE", by=admin), make_project("THERE", by=admin)
    socket = signed_in(live, developer)
    socket.subscribe(projects=["HERE"])
    socket.subscribe(projects=["THERE"])
    make_issue(here, by=developer)
    wanted = make_issue(there, by=developer)
    assert socket.receive()["issue"]["id"] == str(wanted.pk)
    assert socket.is_silent()


@pytest.mark.parametrize(
    "stale", [{"since": 10**9}, {"since": 0, "log": "01970000-0000-7000-8000-000000000000"}]
)
def test_a_number_of_another_log_means_resync(
    live: LiveLoop, developer: User, project: Project, stale: dict[str, Any]
) -> None:
    socket = signed_in(live, developer)
    make_issue(project, by=developer)
    assert [frame["type"] for frame in socket.subscribe(**stale)] == ["resync", "ready"]


def test_a_socket_of_a_project_has_only_its_events_and_4404_for_a_hidden_one(
    live: LiveLoop, developer: User, admin: User
) -> None:
    here, there = make_project("HERE", by=admin), make_project("THERE", by=admin)
    make_project("SECRET", by=admin, visibility="private")
    socket = signed_in(live, developer, "/ws/projects/HERE/")
    socket.subscribe()
    make_issue(there, by=developer)
    wanted = make_issue(here, by=developer)
    assert socket.receive()["issue"]["id"] == str(wanted.pk)
    for path in ("/ws/projects/SECRET/", "/ws/projects/NONE/", "/ws/teams/x/", "/ws/nothing/"):
        refused = live.connect(path)
        if path != "/ws/nothing/":
            refused.send({"type": "auth", "token": tokens_of(developer).access})
        assert refused.closed_with() == 4404, path


# --- rights ------------------------------------------------------------------------------------------
def test_a_reporter_hears_of_their_own_issues_alone(
    live: LiveLoop, reporter: User, developer: User, project: Project
) -> None:
    socket = signed_in(live, reporter)
    socket.subscribe()
    make_issue(project, by=developer)
    own = make_issue(project, by=reporter)
    assert socket.receive()["issue"]["id"] == str(own.pk)


def test_an_internal_comment_never_reaches_a_reporter(
    live: LiveLoop, reporter: User, developer: User, project: Project
) -> None:
    issue = make_issue(project, by=reporter)
    since = head().last_seq
    socket = signed_in(live, reporter)
    socket.subscribe()
    make_comment(issue, by=developer, body="between us", internal=True)
    make_comment(issue, by=developer, body="for all")
    assert socket.receive()["comment"]["body"] == "for all"
    assert [frame["comment"]["body"] for frame in events(socket.subscribe(since=since))] == ["for all"]


def test_a_reporter_who_loses_an_issue_is_told_that_it_is_gone(
    live: LiveLoop, reporter: User, developer: User, maintainer: User, project: Project
) -> None:
    issue = make_issue(project, by=maintainer, assignee=str(reporter.pk))
    since = head().last_seq
    socket, other = signed_in(live, reporter), signed_in(live, developer)
    socket.subscribe()
    other.subscribe()
    edit_issue(issue.pk, by=caller(maintainer), changes={"assignee": None})
    lost = socket.receive()
    assert (lost["event"], lost["issue"], lost["changes"]) == (
        "ISSUE_DELETED", {"id": str(issue.pk), "key": "API-1"}, {},
    )  # fmt: skip
    assert other.receive()["event"] == "ISSUE_UPDATED"
    edit_issue(issue.pk, by=caller(maintainer), changes={"title": "Not for everybody"})
    assert socket.is_silent()
    assert [frame["event"] for frame in events(socket.subscribe(since=since))] == ["ISSUE_DELETED"]


def test_who_is_no_longer_a_watcher_is_told_to_fetch_anew(
    live: LiveLoop, reporter: User, maintainer: User, project: Project
) -> None:
    issue = make_issue(project, by=maintainer)
    socket = signed_in(live, reporter)
    socket.subscribe()
    share_issue(issue.pk, by=caller(maintainer), person=fresh(reporter))
    assert socket.receive() == {"type": "resync"}
    edit_issue(issue.pk, by=caller(maintainer), changes={"title": "Shared"})
    assert socket.receive()["issue"]["title"] == "Shared"
    unshare_issue(issue.pk, by=caller(maintainer), person=fresh(reporter))
    assert socket.receive() == {"type": "resync"}
    edit_issue(issue.pk, by=caller(maintainer), changes={"title": "No longer shared"})
    assert socket.is_silent()


def test_a_hidden_parent_is_not_named(
    live: LiveLoop, reporter: User, maintainer: User, project: Project
) -> None:
    parent = make_issue(project, by=maintainer)
    child = make_issue(project, by=reporter)
    socket, other = signed_in(live, reporter), signed_in(live, maintainer)
    socket.subscribe()
    other.subscribe()
    edit_issue(child.pk, by=caller(maintainer), changes={"parent": str(parent.pk)})
    assert socket.receive()["changes"] == {"parent": [None, None]}
    assert other.receive()["changes"] == {"parent": [None, {"id": str(parent.pk), "key": "API-1"}]}


def test_a_log_out_cuts_its_sockets_off(live: LiveLoop, developer: User) -> None:
    pair = tokens_of(developer)
    idle, busy = live.connect(), live.connect()
    for socket in (idle, busy):
        socket.send({"type": "auth", "token": pair.access})
        socket.receive()
    busy.subscribe()
    sign_out(pair.refresh)
    assert busy.closed_with(5.0) == 4401
    assert idle.closed_with(5.0) == 4401


def test_a_deactivated_person_is_cut_off(live: LiveLoop, developer: User, admin: User) -> None:
    socket = signed_in(live, developer)
    socket.subscribe()
    deactivate_user(developer.pk, by=caller(admin))
    assert socket.closed_with(5.0) == 4401


def test_a_changed_role_holds_for_the_next_event(
    live: LiveLoop, developer: User, admin: User, project: Project
) -> None:
    issue = make_issue(project, by=admin)
    socket = signed_in(live, developer)
    socket.subscribe()
    set_role(developer.pk, by=caller(admin), role="reporter")
    edit_issue(issue.pk, by=caller(admin), changes={"title": "Not for reporters"})
    assert socket.receive(5.0) == {"type": "resync"}
    assert socket.is_silent()


def test_a_socket_of_a_project_that_is_hidden_now_is_closed_with_4403(
    live: LiveLoop, developer: User, admin: User, project: Project
) -> None:
    scoped, whole = signed_in(live, developer, "/ws/projects/API/"), signed_in(live, developer)
    scoped.subscribe()
    whole.subscribe()
    edit_project(project.pk, by=caller(admin), changes={"visibility": "private"})
    assert scoped.closed_with(5.0) == 4403
    assert whole.receive(5.0) == {"type": "resync"}


# --- limits ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["nonsense", "[1]", '"x"', "null", '{"a":', "[" * 5000])
def test_what_is_no_json_object_ends_with_4400(live: LiveLoop, developer: User, text: str) -> None:
    socket = signed_in(live, developer)
    socket.send(text)
    assert socket.closed_with() == 4400


def test_a_binary_frame_ends_with_4400(live: LiveLoop, developer: User) -> None:
    socket = signed_in(live, developer)
    socket.send_bytes(b'{"type":"pong"}')
    assert socket.closed_with() == 4400


def test_a_frame_over_64_kib_ends_with_1009(live: LiveLoop, developer: User) -> None:
    socket = signed_in(live, developer)
    socket.send({"type": "subscribe", "q": "x" * 70_000})
    assert socket.closed_with() == 1009


def test_more_than_twenty_frames_a_second_end_with_4429(live: LiveLoop, developer: User) -> None:
    socket = signed_in(live, developer)
    for _ in range(25):
        socket.send({"type": "pong"})
    assert socket.closed_with() == 4429


def test_the_twenty_first_socket_of_a_user_ends_with_4429(live: LiveLoop, developer: User) -> None:
    token = tokens_of(developer).access
    opened = []
    for _ in range(20):
        opened.append(live.connect(f"/ws/?token={token}"))
        opened[-1].subscribe()
    assert live.connect(f"/ws/?token={token}").closed_with() == 4429
    opened[0].cut()
    assert live.connect(f"/ws/?token={token}").subscribe()


def test_a_silent_client_is_pinged_and_then_closed_with_4408(
    live: LiveLoop, developer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "PING_SECONDS", 0.2)
    monkeypatch.setattr(sockets, "SILENCE_SECONDS", 0.7)
    socket = signed_in(live, developer)
    assert socket.receive() == {"type": "ping"}
    socket.send({"type": "pong"})
    assert socket.receive() == {"type": "ping"}
    assert socket.closed_with() == 4408


@pytest.mark.parametrize("kind", ["dance", None, 1, [], {}, ["subscribe"]])
def test_an_unknown_type_of_frame_is_an_error(live: LiveLoop, developer: User, kind: object) -> None:
    socket = signed_in(live, developer)
    socket.send({"type": kind})
    assert socket.receive()["error"] == "E_VALIDATION"
    assert socket.subscribe()


def test_an_issue_made_without_a_nudge_is_seen_within_a_second(
    live: LiveLoop, developer: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = signed_in(live, developer)
    socket.subscribe()
    monkeypatch.setattr("tracker.events.numbering.nudge", lambda: None)
    issue: Issue = make_issue(project, by=developer)
    assert socket.receive(1.5)["issue"]["id"] == str(issue.pk)


def test_what_a_crash_left_without_a_number_is_sent_all_the_same(
    live: LiveLoop, developer: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = signed_in(live, developer)
    socket.subscribe()
    monkeypatch.setattr("tracker.events.record.announce_after_commit", lambda: None)
    issue = make_issue(project, by=developer)
    assert socket.receive(4.0)["issue"]["id"] == str(issue.pk)


# --- teams, sessions, the database -------------------------------------------------------------------
def test_a_socket_of_a_team_has_the_events_of_its_projects_and_of_issues_given_to_it(
    live: LiveLoop, developer: User, admin: User
) -> None:
    team = create_team(by=caller(admin), name="Platform")
    add_member(team.pk, by=caller(admin), user_id=developer.pk, role="member")
    make_project("OURS", by=admin, teams=[team])
    other = make_project("OTHER", by=admin)
    socket = signed_in(live, developer, f"/ws/teams/{team.pk}/")
    socket.subscribe()
    make_issue(other, by=developer)
    ours = make_issue(Project.objects.get(key="OURS"), by=developer)
    assert socket.receive()["issue"]["id"] == str(ours.pk)
    refused = live.connect(f"/ws/teams/{create_team(by=caller(admin), name='Others').pk}/")
    refused.send({"type": "auth", "token": tokens_of(developer).access})
    assert refused.closed_with() == 4404
    remove_member(team.pk, by=caller(admin), user_id=developer.pk)
    assert socket.closed_with(5.0) == 4403


def test_a_page_that_signs_out_is_cut_off(live: LiveLoop, developer: User, sign_in: Any) -> None:
    browser = sign_in(developer)
    socket = live.connect(
        cookie=f"sessionid={browser.cookies['sessionid'].value}", origin="http://testserver"
    )
    socket.subscribe()
    browser.logout()
    assert socket.closed_with(5.0) == 4401


def test_a_changed_password_cuts_off_sockets_of_sessions_and_tokens(
    live: LiveLoop, developer: User, admin: User, sign_in: Any
) -> None:
    cookie = f"sessionid={sign_in(developer).cookies['sessionid'].value}"
    sockets_of = [live.connect(cookie=cookie, origin="http://testserver"), signed_in(live, developer)]
    for socket in sockets_of:
        socket.subscribe()
    set_password(developer.pk, by=caller(admin), new="quite-another-password-9")
    assert [socket.closed_with(5.0) for socket in sockets_of] == [4401, 4401]


@pytest.mark.postgres
def test_the_stream_goes_on_after_the_database_dropped_its_connections(
    live: LiveLoop, developer: User, project: Project
) -> None:
    socket = signed_in(live, developer)
    since = socket.subscribe()[-1]["seq"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    issue = make_issue(project, by=developer)
    assert socket.receive()["issue"]["id"] == str(issue.pk)
    assert [frame["issue"]["id"] for frame in events(socket.subscribe(since=since))] == [str(issue.pk)]


def test_the_same_person_may_name_themselves_anew_and_keeps_their_subscription(
    live: LiveLoop, developer: User, outsider: User, project: Project
) -> None:
    socket = signed_in(live, developer)
    socket.subscribe()
    socket.send({"type": "auth", "token": tokens_of(developer).access})
    assert socket.receive()["type"] == "authenticated"
    make_issue(project, by=developer)
    assert socket.receive()["type"] == "event"
    socket.send({"type": "auth", "token": tokens_of(outsider).access})
    assert socket.receive()["user"]["id"] == str(outsider.pk)
    make_issue(project, by=developer)
    assert socket.is_silent()


def test_rights_that_change_during_a_replay_mean_resync(
    live: LiveLoop, reporter: User, admin: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("issues.live.attachment.NEAR", 2)
    monkeypatch.setattr("issues.live.feed.PAGE", 2)
    since = head().last_seq
    for _ in range(6):
        make_issue(project, by=reporter)
    make_issue(project, by=admin)
    pages: list[int] = []

    def read_and_promote(*args: Any, **kwargs: Any) -> Any:
        pages.append(kwargs["after"])
        if len(pages) == 2:
            set_role(reporter.pk, by=caller(admin), role="developer")
        return read_missed(*args, **kwargs)

    monkeypatch.setattr("issues.live.feed.read_missed", read_and_promote)
    socket = signed_in(live, reporter)
    frames = socket.subscribe(since=since)
    assert len(pages) > 2
    assert [frame["type"] for frame in frames].count("resync") == 1
    assert len(events(frames)) == 7


# --- what changed while one was away -----------------------------------------------------------------
def _hide_project(project: Project, person: User, by: User) -> None:
    edit_project(project.pk, by=caller(by), changes={"visibility": "private"})


def _change_role(project: Project, person: User, by: User) -> None:
    set_role(person.pk, by=caller(by), role="maintainer")


def _change_permissions(project: Project, person: User, by: User) -> None:
    kept = rights_of(fresh(person)).permissions - {"issues.read_internal"}
    set_role_permissions(person.role, by=caller(by), permissions=kept)


def _join_team(project: Project, person: User, by: User) -> None:
    add_member(create_team(by=caller(by), name="Others").pk, by=caller(by), user_id=person.pk, role="member")


def _lose_team(project: Project, person: User, by: User) -> None:
    delete_team(create_team(by=caller(by), name="Others").pk, by=caller(by))


@pytest.mark.parametrize("change", [_hide_project, _change_role, _change_permissions, _join_team, _lose_team])
def test_rights_that_changed_while_one_was_away_mean_resync(
    live: LiveLoop, developer: User, admin: User, project: Project, change: Any
) -> None:
    since = head().last_seq
    missed = make_issue(make_project("SEEN", by=admin), by=developer)
    change(project, developer, admin)
    frames = signed_in(live, developer).subscribe(since=since)
    assert [frame["type"] for frame in frames] == ["resync", "event", "ready"]
    assert frames[1]["issue"]["id"] == str(missed.pk)
    again = signed_in(live, developer).subscribe(since=frames[-1]["seq"])
    assert [frame["type"] for frame in again] == ["ready"]


def test_a_change_that_has_no_number_yet_means_resync(developer: User, admin: User, project: Project) -> None:
    since = head().last_seq
    set_role(developer.pk, by=caller(admin), role="reporter")
    told = Event.objects.filter(verb="user.role_changed").values("verb", "subject_id", "changes").get()
    Event.objects.create(source="api", **told)  # the same, and not numbered yet
    assert sight_may_differ(scope=scope_of(fresh(developer)), since=since, last_seq=since)


def test_what_changed_for_others_is_no_resync(
    live: LiveLoop, developer: User, reporter: User, admin: User, project: Project
) -> None:
    since = head().last_seq
    set_role(reporter.pk, by=caller(admin), role="maintainer")
    _join_team(project, reporter, admin)
    edit_project(project.pk, by=caller(admin), changes={"name": "Another"})
    share_issue(make_issue(project, by=admin).pk, by=caller(admin), person=fresh(reporter))
    frames = signed_in(live, developer).subscribe(since=since)
    assert [frame["type"] for frame in frames] == ["event", "ready"]


def test_a_share_lost_while_one_was_away_means_resync(
    live: LiveLoop, reporter: User, admin: User, project: Project
) -> None:
    issue = make_issue(project, by=admin)
    share_issue(issue.pk, by=caller(admin), person=fresh(reporter))
    since = head().last_seq
    unshare_issue(issue.pk, by=caller(admin), person=fresh(reporter))
    frames = signed_in(live, reporter).subscribe(since=since)
    assert [frame["type"] for frame in frames] == ["resync", "ready"]


def test_whether_sight_may_differ_takes_one_query(
    developer: User, admin: User, project: Project, django_assert_num_queries: Any
) -> None:
    scope = scope_of(fresh(developer))
    since = head().last_seq
    with django_assert_num_queries(1):
        assert not sight_may_differ(scope=scope, since=since, last_seq=since)
    with django_assert_num_queries(0):
        assert sight_may_differ(scope=scope, since=0, last_seq=WINDOW + 1)
