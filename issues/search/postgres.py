"""The search on PostgreSQL: one `tsvector` an issue, its tokens made here and not by a parser of the server.

Weights keep texts apart: A the title, B the description, C comments, D internal comments. Who may not read
those asks for the weights ABC, so that a D neither matches, nor is in the way of a "not", nor counts in the
rank.
"""

import json
import time
import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from django.db import connection
from django.db.models import Exists, Func, IntegerField, OuterRef, Q, Subquery, TextField, Value
from django.db.models.expressions import Combinable

from issues.models import SearchDocument
from issues.search.columns import Beside, Found
from issues.search.documents import Document, Remark
from issues.search.needles import Needle, Needles
from issues.search.text import Groups, groups, tokens

MOST_BYTES: Final = 1_000_000
"""Of one vector, a little below what PostgreSQL takes. Comments beyond it are not found."""
TRIGRAMS: Final = "pg_trgm"
COMMON: Final = 2_000
"""In more issues than this, a search is common: it is listed by time, not ranked."""
_LAST_POSITION: Final = 16_383
_MOST_POSITIONS: Final = 255
_NO_LIMIT: Final = 2**31 - 1
_PUBLIC_RANKS: Final = "{0, 0.1, 0.3, 1}"
_ALL_RANKS: Final = "{0.1, 0.1, 0.3, 1}"
_ESTIMATE_SECONDS: Final = 300


# --- writing -------------------------------------------------------------------------------------
class _Vector:
    """Makes the text form of a vector, segment by segment, as `||` would put them together."""

    def __init__(self) -> None:
        self.positions: dict[str, list[str]] = {}
        self.at = 0
        self.size_bytes = 0

    def add(self, found: Groups, weight: str) -> None:
        """Add a segment if there is room for it."""
        at, fresh = self.at, dict[str, list[str]]()
        for group in found:
            at += 1  # so that no phrase reaches from one to the next
            for token in group:
                at += 1
                fresh.setdefault(token, []).append(f"{min(at, _LAST_POSITION)}{weight}")
        size_bytes = sum(
            len(token.encode()) + 3 + 2 * min(len(places), _MOST_POSITIONS) for token, places in fresh.items()
        )
        if self.size_bytes + size_bytes > MOST_BYTES:
            return
        self.at, self.size_bytes = min(at, _LAST_POSITION), self.size_bytes + size_bytes
        for token, places in fresh.items():
            self.positions.setdefault(token, []).extend(places)

    def __str__(self) -> str:
        return " ".join(
            f"'{token}':{','.join(places[:_MOST_POSITIONS])}" for token, places in self.positions.items()
        )


def _vector_of(document: Document) -> _Vector:
    vector = _Vector()
    vector.add(groups(document.title), "A")
    vector.add(groups(document.description), "B")
    for remark in document.remarks:
        vector.add(groups(remark.body), _weight(remark))
    return vector


def _weight(remark: Remark) -> str:
    return "D" if remark.is_internal else "C"


def store(documents: Sequence[Document]) -> None:
    """Write whole documents, in one statement."""
    if not documents:
        return
    rows = []
    for document in documents:
        vector = _vector_of(document)
        title = " ".join(tokens(document.title))
        rows.append(
            {"id": str(document.issue_id), "title": title, "size": vector.size_bytes, "vector": str(vector)}
        )
    # One parameter: thousands of them would take longer to write out than the rows to store.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO issues_searchdocument (issue_id, title, size_bytes, vector) "
            "SELECT id, title, size, vector::tsvector "
            "FROM json_to_recordset(%s::json) AS document (id uuid, title text, size int, vector text) "
            "ON CONFLICT (issue_id) DO UPDATE SET title = excluded.title, size_bytes = excluded.size_bytes, "
            "vector = excluded.vector",
            [json.dumps(rows)],
        )


def append(issue_id: uuid.UUID, remark: Remark) -> None:
    """Add a comment to a document that is there, in one statement; nothing if there is no room left."""
    vector = _Vector()
    vector.add(groups(remark.body), _weight(remark))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE issues_searchdocument SET vector = vector || %s::tsvector, size_bytes = size_bytes + %s "
            "WHERE issue_id = %s AND size_bytes + %s <= %s",
            [str(vector), vector.size_bytes, issue_id, vector.size_bytes, MOST_BYTES],
        )


def remove(issue_ids: Iterable[uuid.UUID]) -> None:
    """Forget issues."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM issues_searchdocument WHERE issue_id = ANY(%s)", [list(issue_ids)])


# --- reading -------------------------------------------------------------------------------------
def query_of(wanted: Iterable[Needle], refused: Iterable[Needle] = (), *, internal: bool) -> str:
    """Return the tsquery, as text, of documents that have all of `wanted` and none of `refused`."""
    terms = [_phrase(needle, internal=internal) for needle in wanted]
    terms += [f"!{_phrase(needle, internal=internal)}" for needle in refused]
    return " & ".join(terms)


def _phrase(needle: Needle, *, internal: bool) -> str:
    marks = ["" if internal else "ABC"] * len(needle.tokens)
    if needle.is_prefix:
        marks[-1] = f"*{marks[-1]}"
    parts = [
        f"'{token}'" + (f":{mark}" if mark else "") for token, mark in zip(needle.tokens, marks, strict=True)
    ]
    return f"({' <-> '.join(parts)})" if len(parts) > 1 else parts[0]


def condition(needles: Needles, *, internal: bool, common: bool) -> Q:
    """Return the condition on issues.

    A rare search takes its matches first: otherwise the planner is tempted to walk the issues by time until
    it has a page, for a word that may be nowhere. A common one leaves that to the planner, which is right.
    """
    if not needles.wanted:
        return Q(*(~Q(_exists(query_of([each], internal=internal))) for each in needles.refused))
    query = query_of(needles.wanted, needles.refused, internal=internal)
    if common:
        return Q(_exists(query))
    found = SearchDocument.objects.filter(Found(query))
    return Q(pk__in=found.values("issue")[:_NO_LIMIT])  # a LIMIT is a fence to the planner


def _exists(query: str) -> Exists:
    return Exists(SearchDocument.objects.filter(Found(query), issue=OuterRef("pk")))


def relevance(needles: Needles, *, internal: bool) -> Combinable:
    """Return how well an issue matches, in millionths, more is better."""
    rank = Func(
        Value(_ALL_RANKS if internal else _PUBLIC_RANKS, output_field=TextField()),
        Beside("vector"),
        Value(query_of(needles.wanted, internal=internal), output_field=TextField()),
        template="(ts_rank(%(expressions)s::tsquery) * 1000000)::int",
        arg_joiner=", ",
        output_field=IntegerField(),
    )
    own = SearchDocument.objects.filter(issue=OuterRef("pk")).annotate(rank=rank)
    return Subquery(own.values("rank"), output_field=IntegerField())


def is_common(needles: Needles, *, internal: bool) -> bool:
    """Whether the planner expects more than `COMMON` issues; one query, remembered for some minutes."""
    query = query_of(needles.wanted, needles.refused, internal=internal)
    period = int(time.monotonic() / _ESTIMATE_SECONDS)
    return _estimate(str(connection.settings_dict["NAME"]), query, period) > COMMON


@lru_cache(maxsize=4096)
def _estimate(_database: str, query: str, _period: int) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (FORMAT JSON) SELECT 1 FROM issues_searchdocument WHERE vector @@ %s::tsquery", [query]
        )
        (plan,) = cursor.fetchone()
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return float(plan[0]["Plan"]["Plan Rows"])


# --- the index itself ----------------------------------------------------------------------------
_COLUMN: Final = "ALTER TABLE issues_searchdocument ADD COLUMN vector tsvector NOT NULL DEFAULT ''::tsvector"
_INDEXES: Final = {
    "issues_search_vector": "gin (vector)",
    "issues_search_title": "gin (title gin_trgm_ops)",
}


def missing() -> list[str]:
    """Return what the search lacks in this database: names of columns, indexes and extensions."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('issues_searchdocument') "
            "AND attname = 'vector' AND NOT attisdropped), "
            "EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm'), "
            "array(SELECT c.relname::text FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid "
            "WHERE i.indrelid = to_regclass('issues_searchdocument') AND i.indisvalid)"
        )
        has_column, has_trigrams, indexes = cursor.fetchone()
    found = {"vector": has_column, TRIGRAMS: has_trigrams} | {name: name in indexes for name in _INDEXES}
    return [name for name, is_there in found.items() if not is_there]


def repair() -> bool:
    """Make what is missing; return whether every document must be written anew."""
    lacking = missing()
    with connection.cursor() as cursor:
        if "vector" in lacking:
            cursor.execute(_COLUMN)
        cursor.execute(
            "SET statement_timeout = 0"
        )  # a large index takes its time; this process only migrates
        for name, definition in _INDEXES.items():
            if name in lacking and (TRIGRAMS not in lacking or "trgm" not in definition):
                at_once = "" if connection.in_atomic_block else "CONCURRENTLY"
                cursor.execute(f"DROP INDEX IF EXISTS {name}")  # one that was begun and not ended
                cursor.execute(
                    f"CREATE INDEX {at_once} {name} ON issues_searchdocument USING {definition} "
                    "WITH (gin_pending_list_limit = 128)"
                )
    return "vector" in lacking
