"""The search on SQLite: an FTS5 table whose rowid is the search document's id, its tokens made here.

A column each for title, description, comments and internal comments. Who may not read the last one asks the
other three alone. The tokenizer only separates at spaces; words are quoted, so nothing in them is syntax.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from django.db import connection
from django.db.models import IntegerField, Q, QuerySet
from django.db.models.expressions import Combinable

from issues.models import Issue
from issues.search.columns import AboutIssue
from issues.search.documents import Document, Remark
from issues.search.needles import Needle, Needles
from issues.search.similarity import Scored, best, pairs
from issues.search.text import Groups, groups, tokens

_GAP: Final = " \ue000 "
"""A token that nobody can ask for, so that no phrase reaches over it."""
_AMONG: Final = (
    "{pk} IN (SELECT d.issue_id FROM issues_searchdocument d WHERE d.id IN "
    "(SELECT rowid FROM issues_searchtext WHERE issues_searchtext MATCH %s))"
)
_LEVEL: Final = f"CASE WHEN {_AMONG} THEN 3 WHEN {_AMONG} THEN 2 ELSE 1 END"
_PUBLIC: Final = ("title", "description", "comments")


# --- writing -------------------------------------------------------------------------------------
def store(documents: Sequence[Document]) -> None:
    """Write whole documents, two statements each."""
    with connection.cursor() as cursor:
        for document in documents:
            cursor.execute(
                "INSERT INTO issues_searchdocument (issue_id, title, size_bytes) VALUES (%s, %s, 0) "
                "ON CONFLICT (issue_id) DO UPDATE SET title = excluded.title RETURNING id",
                [_key(document.issue_id), " ".join(tokens(document.title))],
            )
            (row_id,) = cursor.fetchone()
            cursor.execute(
                "INSERT OR REPLACE INTO issues_searchtext (rowid, title, description, comments, internal) "
                "VALUES (%s, %s, %s, %s, %s)",
                [row_id, _joined(document.title), _joined(document.description), *_remarks(document.remarks)],
            )


def prepare(document: Document) -> Document:
    """Return the document itself: on SQLite nothing is made beforehand."""
    return document


def store_new(documents: Iterable[tuple[uuid.UUID | str, Document]]) -> None:
    """Write the documents of issues that have none yet."""
    store([replace(document, issue_id=uuid.UUID(str(issue_id))) for issue_id, document in documents])


def append(issue_id: uuid.UUID, remark: Remark) -> None:
    """Add a comment to a document that is there, in one statement."""
    column = "internal" if remark.is_internal else "comments"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE issues_searchtext SET {column} = {column} || %s "  # noqa: S608 — one of two names
            "WHERE rowid = (SELECT id FROM issues_searchdocument WHERE issue_id = %s)",
            [_GAP + _joined(remark.body), _key(issue_id)],
        )


def remove(issue_ids: Iterable[uuid.UUID]) -> None:
    """Forget issues."""
    with connection.cursor() as cursor:
        for issue_id in issue_ids:
            key = [_key(issue_id)]
            cursor.execute(
                "DELETE FROM issues_searchtext "
                "WHERE rowid = (SELECT id FROM issues_searchdocument WHERE issue_id = %s)",
                key,
            )
            cursor.execute("DELETE FROM issues_searchdocument WHERE issue_id = %s", key)


def _remarks(remarks: Iterable[Remark]) -> tuple[str, str]:
    public, internal = "", ""
    for remark in remarks:
        if remark.is_internal:
            internal += _GAP + _joined(remark.body)
        else:
            public += _GAP + _joined(remark.body)
    return public, internal


def _joined(text: str) -> str:
    return _text(groups(text))


def _text(found: Groups) -> str:
    return _GAP.join(" ".join(group) for group in found)


def _key(issue_id: uuid.UUID) -> Any:
    return Issue._meta.pk.get_db_prep_value(issue_id, connection)


# --- reading -------------------------------------------------------------------------------------
def query_of(
    wanted: Iterable[Needle], refused: Iterable[Needle] = (), *, internal: bool, columns: Sequence[str] = ()
) -> str:
    """Return the FTS5 query of documents that have all of `wanted` and none of `refused`."""
    text = " AND ".join(map(_phrase, wanted))
    if unwanted := " OR ".join(map(_phrase, refused)):
        text = f"({text}) NOT ({unwanted})"
    columns = columns or (() if internal else _PUBLIC)
    return f"{{{' '.join(columns)}}} : ({text})" if columns else text


def _phrase(needle: Needle) -> str:
    return f'"{" ".join(needle.tokens)}"' + (" *" if needle.is_prefix else "")


def condition(needles: Needles, *, internal: bool, common: bool) -> Q:
    """Return the condition on issues; the matches are taken first, be they many or few."""
    del common
    if needles.wanted:
        query = query_of(needles.wanted, needles.refused, internal=internal)
        return Q(AboutIssue(_AMONG, (query,)))
    return Q(*(~Q(AboutIssue(_AMONG, (query_of([each], internal=internal),))) for each in needles.refused))


def relevance(needles: Needles, *, internal: bool) -> Combinable:
    """Return how well an issue matches, more is better: by its title, by title and description, or at all.

    FTS5's own rank counts the length of all columns, and so would tell of comments that are hidden.
    """
    del internal
    levels = (("title",), ("title", "description"))
    queries = [query_of(needles.wanted, internal=False, columns=columns) for columns in levels]
    return AboutIssue(_LEVEL, tuple(queries), IntegerField())


def is_common(needles: Needles, *, internal: bool) -> bool:
    """Every search is ranked: an embedded tracker is small."""
    del needles, internal
    return False


def similar(issues: QuerySet[Any], words: Sequence[str], *, limit: int) -> list[Scored]:
    """Return the issues, among `issues`, whose titles are most like these words, the best first."""
    query = " OR ".join("(" + " AND ".join(f'"{word}"' for word in pair) + ")" for pair in pairs(words))
    return best(issues.filter(AboutIssue(_AMONG, (f"{{title}} : ({query})",))), words, limit=limit)


# --- the index itself ----------------------------------------------------------------------------
def missing() -> list[str]:
    """Return what the search lacks in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'issues_searchtext'")
        (tables,) = cursor.fetchone()
    return [] if tables else ["issues_searchtext"]


def repair() -> bool:
    """Make what is missing; return whether every document must be written anew.

    Texts of documents that are gone go too: whoever empties the models' tables does not know of this one.
    """
    with connection.cursor() as cursor:
        if missing():
            cursor.execute(
                "CREATE VIRTUAL TABLE issues_searchtext "
                "USING fts5 (title, description, comments, internal, tokenize = 'ascii')"
            )
            return True
        cursor.execute(
            "DELETE FROM issues_searchtext WHERE rowid NOT IN (SELECT id FROM issues_searchdocument)"
        )
    return False
