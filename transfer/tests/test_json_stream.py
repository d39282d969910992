"""Files are read element by element, and what is wrong in them is named."""

import json
import tracemalloc
from pathlib import Path

import pytest

from transfer.jira.reader import JiraFile, RawIssue
from transfer.report import Unreadable


def read(tmp_path: Path, content: bytes | str) -> list[RawIssue]:
    path = tmp_path / "search.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(JiraFile(path).issues())


def fault(tmp_path: Path, content: bytes | str) -> str:
    with pytest.raises(Unreadable) as caught:
        read(tmp_path, content)
    return str(caught.value)


def test_issues_are_read_whatever_stands_around_them(tmp_path: Path) -> None:
    issues = read(
        tmp_path, '\ufeff{"expand": "x", "issues": [{"key": "A-1"}, {"key": "A-2"}], "names": {"a": "B"}}'
    )
    assert [issue.title for issue in issues] == ["A-1", "A-2"]
    assert [issue.title for issue in read(tmp_path, '[{"key": "A-1"}]')] == ["A-1"]
    assert [issue.title for issue in read(tmp_path, '{"issues": [{"key": "A-1"}]}'.encode("utf-16"))] == [
        "A-1"
    ]


def test_names_of_fields_are_kept_wherever_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "search.json"
    path.write_text('{"issues": [], "names": {"customfield_1": "Story Points"}}')
    file = JiraFile(path)
    assert list(file.issues()) == []
    assert file.names == {"customfield_1": "Story Points"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "an object with `issues` was expected"),
        ("hello", "an object with `issues` was expected"),
        ("{", "cut off"),
        ('{"a": 1}', "has no `issues`"),
        ('{"issues": {}}', "`issues` must be one list"),
        ('{"issues": [], "issues": []}', "`issues` must be one list"),
        (
            '{"issues": [{"key": "A-1"',
            "issue 1 of the file: is no JSON: Expecting ',' delimiter at character 25",
        ),
        ('{"issues": [{"key": "A-1"}, {"key": "A-', "issue 2 of the file: is no JSON"),
        ('{"issues": [{"key": "A-1",}]}', "issue 1 of the file: is no JSON"),
        ('{"issues": [{"key": "A-1"}]} x', "nothing more was expected at character 29"),
        ('{"issues": [{"key": "A\x00"}]}', "issue 1 of the file: is no JSON: Invalid control character"),
        ('{"issues": ' + "[" * 100_000, "nested too deep"),
        (b'{"issues": [{"k": "\xff"}]}', "is not UTF-8"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path: Path, content: bytes | str, said: str) -> None:
    message = fault(tmp_path, content)
    assert said in message
    assert message.startswith("search.json: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"gone\.json: cannot be read"):
        list(JiraFile(tmp_path / "gone.json").issues())


@pytest.mark.parametrize(
    ("issue", "said"),
    [
        (
            '{"key": "A-1", "fields": {"summary": "\\u0000"}}',
            "A-1: summary: the text has a character that cannot be stored",
        ),
        ('{"key": "A-1", "f": ["\\ud800"]}', "A-1: f[0]: the text has a character that cannot be stored"),
        ('{"key": "A-1", "\\ud800": 1}', "A-1: the text has a character that cannot be stored"),
        ('{"key": "A-1", "f": 1, "f": 2}', "A-1: the member 'f' is there twice"),
        ('{"key": "A-1", "n": ' + "9" * 5000 + "}", "A-1: a number is too large"),
        ('{"key": "A-1", "n": NaN}', "A-1: NaN is no JSON"),
        ("7", "issue 1 of the file: is not an object"),
    ],
)
def test_a_broken_issue_is_named_and_the_next_one_is_read(tmp_path: Path, issue: str, said: str) -> None:
    first, second = read(tmp_path, f'{{"issues": [{issue}, {{"key": "A-2"}}]}}')
    assert said in str(first.problem)
    assert (second.title, second.problem) == ("A-2", None)


def test_a_whole_surrogate_pair_is_a_character(tmp_path: Path) -> None:
    (issue,) = read(tmp_path, '{"issues": [{"key": "A-1", "f": "\\ud83d\\ude00"}]}')
    assert issue.value["f"] == "😀"


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    issue = json.dumps({"key": "A-1", "fields": {"description": "x" * 20_000}})
    with path.open("w") as file:
        file.write('{"issues": [')
        file.writelines(f"{issue}, " for _ in range(1500))
        file.write(f"{issue}]}}")
    tracemalloc.start()
    count = sum(1 for _ in JiraFile(path).issues())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1501
    assert peak < 4 * 1024 * 1024 < path.stat().st_size / 7
