"""Reading the query language and the values of filters."""

import time

import pytest

from issues.query.ast import FieldTerm, Value, Word
from issues.query.language import parse, quote
from issues.query.values import read_values
from issues.query.words import split_words
from tracker.errors import Invalid


def test_words_phrases_and_negated_ones_are_told_apart() -> None:
    assert parse('log "sign in" -slow').terms == (
        Word("log", column=1),
        Word("sign in", is_phrase=True, column=5),
        Word("slow", is_negated=True, column=15),
    )


def test_a_field_has_values_that_may_be_quoted_or_negated() -> None:
    assert parse('-Label:a,!"b c"').terms == (
        FieldTerm("label", (Value("a", column=8), Value("b c", True, True, 11)), is_negated=True, column=1),
    )


def test_an_exclamation_mark_in_front_negates_all_values() -> None:
    (term,) = parse("status:!open,done").fields
    assert all(value.is_negated for value in term.values)


@pytest.mark.parametrize("text", ["http://example.org/a", "12:30", "a-b", "-", "(x)", "S3:x"])
def test_what_only_looks_like_a_field_is_a_word(text: str) -> None:
    assert parse(text).terms == (Word(text),)


def test_nothing_says_nothing() -> None:
    assert parse("").terms == parse(" \n\t").terms == ()


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("status:", 8),
        ("a status: b", 10),
        ("status:a,,b", 10),
        ("status:!", 9),
        ('a "b', 3),
        ('status:"b', 8),
        ('a"b"', 2),
        ('label:"a"b', 10),
        ("ab\0", 3),
        ("a\ud800", 2),
        ("a\n\n status:", 12),
        ("x" * 1001, 1001),
        ("a " * 51, 101),
        ("a:" + "b," * 100 + "b", 203),
    ],
)
def test_an_error_names_the_parameter_and_the_column(text: str, column: int) -> None:
    with pytest.raises(Invalid) as error:
        parse(text)
    assert error.value.details["column"] == column
    assert list(error.value.fields) == ["q"]


@pytest.mark.parametrize(
    "text",
    [
        part * (1000 // len(part))
        for part in ('"', "-", "a:", "!", "\\", '\\"', "(", ",", "a:!", 'a:"', "- ", "\u200b")
    ],
)
def test_hostile_input_is_read_or_refused_at_once(text: str) -> None:
    begun = time.perf_counter()
    try:
        parse(text)
    except Invalid as error:
        assert error.details["column"] >= 1  # noqa: PT017  either outcome will do, no other exception may come
    assert time.perf_counter() - begun < 10  # milliseconds where it is linear, minutes where it is not


@pytest.mark.parametrize("text", ["plain", "a b", 'a"b', "a\\b", "none", "me", "a,b", "!x", ""])
def test_a_quoted_value_is_read_as_it_was(text: str) -> None:
    (term,) = parse(f"label:{quote(text)}").fields
    assert [value.text for value in term.values] == [text]
    if text:
        assert [value.text for value in read_values([quote(text)], parameter="label")] == [text]


def test_values_of_a_filter_are_split_at_commas_outside_quotes() -> None:
    values = read_values(['needs review, "a,b" ,,!c', "!d,e"], parameter="label")
    assert [(value.text, value.is_literal, value.is_negated) for value in values] == [
        ("needs review", False, False),
        ("a,b", True, False),
        ("c", False, True),
        ("d", False, True),
        ("e", False, True),
    ]


@pytest.mark.parametrize("text", ["a\0", "\ud800", "a," * 101, "x" * 5001])
def test_values_that_nothing_has_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        read_values([text], parameter="label")
    assert list(error.value.fields) == ["label"]


def test_words_of_a_search_have_no_other_sense() -> None:
    assert [word.text for word in split_words('status:open -a "b c" "d')] == ["status:open", "-a", "b c", "d"]
