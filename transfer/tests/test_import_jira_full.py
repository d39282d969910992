"""All 496 Apache issues, where their files are at hand: `JIRA_DATA_DIR`, else beside the checkout."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from issues.models import Comment, Issue
from tests.fold import folded, told
from tracker.models import Event
from transfer.tests import expected

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data" / "jira-apache"
DATA = Path(os.environ.get("JIRA_DATA_DIR", _BESIDE))
FILES = sorted(DATA.glob("search-*.json"))

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.skipif(not FILES, reason="needs the Apache files (JIRA_DATA_DIR)"),
]


def run(capsys: Any) -> list[str]:
    call_command("import_jira", *map(str, FILES))
    return list(capsys.readouterr().out.splitlines())


def test_all_issues_arrive_with_their_history_and_once(admin: User, capsys: Any) -> None:
    lines = run(capsys)
    assert lines[-2].startswith("comments 2031, history entries 2306, ")
    assert lines[-1] == "created 496, updated 0, unchanged 0, failed 0"
    assert (Issue.objects.count(), Comment.objects.count()) == (496, 2031)
    log = Event.objects.filter(issue_id__isnull=False)
    assert log.filter(external_id__startswith="history:").count() == 2306
    assert log.filter(verb="comment.added").count() == 2031
    assert not log.filter(external_id__startswith="state:").exists()

    raw = {each["key"]: each for path in FILES for each in json.loads(path.read_text())["issues"]}
    for key in sorted(raw):
        project, number = key.rsplit("-", 1)
        row = Issue.objects.get(project__key=project, number=number)
        assert expected.stored_fields(row) == expected.expected_fields(raw[key]), key
        assert expected.stored_history(row) == expected.expected_history(raw[key]), key
        assert expected.stored_comments(row) == expected.expected_comments(raw[key]), key
        assert expected.related_keys(row) == expected.expected_related(raw[key], set(raw)), key
    for row in Issue.objects.all():
        assert folded(row) == told(row, user=admin)

    events = Event.objects.count()
    assert run(capsys)[-1] == "created 0, updated 0, unchanged 496, failed 0"
    assert Event.objects.count() == events
