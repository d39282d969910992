"""What a query says, as data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a field. A quoted one is literal: `"none"` and `"me"` have no special sense."""

    text: str
    is_literal: bool = False
    is_negated: bool = False
    column: int = 1


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a phrase of the text."""

    text: str
    is_phrase: bool = False
    is_negated: bool = False
    column: int = 1


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """`field:value,value`: any of the values that are not negated, and none of those that are."""

    field: str
    values: tuple[Value, ...]
    is_negated: bool = False
    column: int = 1


@dataclass(frozen=True, slots=True)
class Query:
    """All of the terms must hold."""

    terms: tuple[Word | FieldTerm, ...] = ()

    @property
    def words(self) -> tuple[Word, ...]:
        """The words and phrases."""
        return tuple(term for term in self.terms if isinstance(term, Word))

    @property
    def fields(self) -> tuple[FieldTerm, ...]:
        """The terms with a field."""
        return tuple(term for term in self.terms if isinstance(term, FieldTerm))
