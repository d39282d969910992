"""Every verb has all its parts, and nothing records a verb that is not in the list."""

import ast
import re
from pathlib import Path

import pytest

from issues.events.sentences import sentence_of
from issues.events.verbs import AUDIT_VERBS, FIELDS, STREAM_VERBS, VERBS, EventName, verb_for_changes
from issues.policy import EDITABLE_FIELDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "events.md"
_VERB = re.compile(r"[a-z]+\.[a-z_]+")


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_verb_has_a_sentence_a_payload_and_a_row_in_the_docs(name: str) -> None:
    verb = VERBS[name]
    assert str(verb.sentence)
    assert verb.payload
    assert verb.event is None or verb.event in EventName
    row = re.search(
        rf"^\| `{re.escape(name)}` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", DOCUMENT.read_text(), re.M
    )
    assert row is not None, f"docs/events.md has no row for {name}"
    assert row[1].strip() == (f"`{verb.event}`" if verb.event else "audit")
    assert row[2].strip() == str(verb.sentence)
    assert row[3].strip() == verb.payload


def test_the_docs_name_no_other_verb() -> None:
    named = re.findall(r"^\| `([a-z]+\.[a-z_]+)` \| (?:`[A-Z_]+`|audit) \|", DOCUMENT.read_text(), re.M)
    assert sorted(named) == sorted(VERBS)


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_verb_makes_a_sentence_of_its_changes(name: str) -> None:
    field = name.removeprefix("issue.").removesuffix("_changed")
    field = {"issue.moved": "project", "user.role_changed": "role"}.get(name, field)
    sentence = sentence_of(name, {field: ["A", "B"]} if "_changed" in name or name == "issue.moved" else {})
    assert sentence
    assert "{" not in sentence
    if field in FIELDS and field != "description":
        assert "A" in sentence
        assert "B" in sentence


def test_sentences_speak_of_people_lists_and_nothing() -> None:
    assert sentence_of("issue.assignee_changed", {"assignee": [None, {"id": "1", "name": "Ada"}]}) == (
        "changed the assignee from nobody to Ada"
    )
    assert (
        sentence_of("issue.labels_changed", {"labels": [[], ["a", "b"]]})
        == "changed the labels from nothing to a, b"
    )
    assert sentence_of(
        "issue.status_changed", {"status": ["open", "in_progress"]}, status_names={"open": "Open"}
    ) == ("changed the status from Open to in progress")
    assert sentence_of("issue.updated", {"title": ["a", "b"], "due_date": [None, "2026-01-01"]}) == (
        "changed title and due date"
    )


def test_the_verb_of_a_change_says_which_field_or_that_there_were_several() -> None:
    assert verb_for_changes({"status"}) == "issue.status_changed"
    assert verb_for_changes({"due_date"}) == "issue.due_date_changed"
    assert verb_for_changes({"title", "status"}) == "issue.updated"
    assert verb_for_changes({"team"}) == "issue.updated"
    assert verb_for_changes({"project", "status"}) == "issue.moved"
    for field in EDITABLE_FIELDS:
        assert verb_for_changes({field}) in STREAM_VERBS


def test_no_verb_is_both_in_the_stream_and_in_the_audit() -> None:
    assert STREAM_VERBS.isdisjoint(AUDIT_VERBS)
    assert {verb.split(".")[0] for verb in STREAM_VERBS} == {"issue", "comment", "attachment"}


def test_whatever_is_recorded_is_in_the_list() -> None:
    recorded: dict[str, str] = {}
    for app in ("tracker", "accounts", "issues", "transfer", "dashboard"):
        for path in (ROOT / app).rglob("*.py"):
            if "tests" not in path.parts and "migrations" not in path.parts:
                recorded |= {verb: str(path.relative_to(ROOT)) for verb in _verbs_in(path)}
    assert {verb: path for verb, path in recorded.items() if verb not in VERBS} == {}


def _verbs_in(path: Path) -> list[str]:
    """Return the verbs that a module hands over as `verb="…"`, also where it chooses between two."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword) and node.arg == "verb":
            texts = (part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant))
            found += [text for text in texts if isinstance(text, str) and _VERB.fullmatch(text)]
    return found
