"""The search on PostgreSQL: one `tsvector` an issue, its tokens made here and not by a parser of the server.

Weights keep texts apart: A the title, B the description, C comments, D internal comments. Who may not read
those asks for the weights ABC, so that a D neither matches, nor is in the way of a "not", nor counts in the
rank.
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.db.models import FloatField, IntegerField, Q, QuerySet
from django.db.models.expressions import Combinable

from issues.search.columns import AboutIssue
from issues.search.documents import Document, Remark
from issues.search.needles import Needle, Needles
from issues.search.similarity import LEAST_SCORE, MOST_COMPARED, Scored, best, pairs
from issues.search.text import Groups, groups

MOST_BYTES: Final = 1_000_000
"""Of one vector, a little below what PostgreSQL takes. Comments beyond it are not found."""
TRIGRAMS: Final = "pg_trgm"
COMMON: Final = 2_000
"""In more issues than this, a search is common: it is listed by time, not ranked."""
_LAST_POSITION: Final = 16_383
_MOST_POSITIONS: Final = 255
_USUAL_POSITIONS: Final = 1_024
_MOST_LETTERS: Final = 200_000
_PUBLIC_RANKS: Final = "{0, 0.1, 0.3, 1}"
_ALL_RANKS: Final = "{0.1, 0.1, 0.3, 1}"
_EXISTS: Final = (
    "EXISTS (SELECT 1 FROM issues_searchdocument d WHERE d.issue_id = {pk} AND d.vector @@ %s::tsquery)"
)
# The LIMIT is a fence, through which the planner does not see.
_FIRST: Final = (
    "{pk} IN (SELECT d.issue_id FROM issues_searchdocument d WHERE d.vector @@ %s::tsquery LIMIT 2147483647)"
)
_RANK: Final = (
    "(SELECT (ts_rank(%s, d.vector, %s::tsquery) * 1000000)::int "
    "FROM issues_searchdocument d WHERE d.issue_id = {pk})"
)
_LIKELY: Final = (
    "{pk} IN (SELECT d.issue_id FROM issues_searchdocument d "
    "WHERE array_to_tsvector(string_to_array(d.title, ' ')) @@ %s::tsquery)"
)
_SIMILARITY: Final = (
    "(SELECT similarity(d.title, %s)::float8 FROM issues_searchdocument d WHERE d.issue_id = {pk})"
)
_REMEMBERED_SECONDS: Final = 300
_NAMES: Final = ("id", "title", "size", "vector")
_COPY: Final = "COPY issues_searchdocument (issue_id, title, size_bytes, vector) FROM STDIN"
Prepared = tuple[str, int, str]
"""Of a document: the tokens of its title, the size of its vector, and that as text."""


# --- writing -------------------------------------------------------------------------------------
class _Vector:
    """Makes the text form of a vector, segment by segment, as `||` would put them together.

    A token that comes again is written again: PostgreSQL puts its places together faster than Python. But it
    takes only so many bytes before it does, so that of a very large text it is done here.
    """

    def __init__(self) -> None:
        self.found: list[tuple[Sequence[str], Sequence[str]]] = []
        self.at = 0
        self.size_bytes = 0
        self.letters = 0

    def add(self, found: Groups, weight: str) -> None:
        """Add a segment if there is room for it."""
        at, fresh, segment, letters, count = self.at, set[str](), [], 0, 0
        for group in found:
            at += 1  # so that no phrase reaches from one to the next
            segment.append((group, _marks(at + 1, len(group), weight)))
            at += len(group)
            fresh.update(group)
            count += len(group)
            letters += sum(map(len, group))
        if count > _MOST_POSITIONS:
            times = Counter(token for group in found for token in group)
            count = sum(min(each, _MOST_POSITIONS) for each in times.values())
        size_bytes = len("".join(fresh).encode()) + 3 * len(fresh) + 2 * count
        if self.size_bytes + size_bytes > MOST_BYTES:
            return
        self.at, self.size_bytes = min(at, _LAST_POSITION), self.size_bytes + size_bytes
        self.letters += letters
        self.found += segment

    def __str__(self) -> str:
        if self.letters <= _MOST_LETTERS and not self._has_frequent():
            pieces = chain.from_iterable(chain.from_iterable(zip(*each, strict=True)) for each in self.found)
            return "'" + "".join(pieces)[:-2] if self.found else ""
        positions: dict[str, list[str]] = {}
        for group, marks in self.found:
            for token, mark in zip(group, marks, strict=True):
                positions.setdefault(token, []).append(mark[2:-2])
        return " ".join(
            f"'{token}':{','.join(places[:_MOST_POSITIONS])}" for token, places in positions.items()
        )

    def _has_frequent(self) -> bool:
        """Whether a token has more places than we keep; PostgreSQL would keep one more."""
        if self.at <= _MOST_POSITIONS:
            return False
        times = Counter(chain.from_iterable(group for group, _ in self.found))
        return max(times.values()) > _MOST_POSITIONS


def _marks(first: int, count: int, weight: str) -> Sequence[str]:
    """Return so many positions from `first` on, with their weight, and with what stands around them."""
    if first + count <= _USUAL_POSITIONS:
        return _usual_marks(weight)[first : first + count]
    return [f"':{min(at, _LAST_POSITION)}{weight} '" for at in range(first, first + count)]


@cache
def _usual_marks(weight: str) -> list[str]:
    return [f"':{at}{weight} '" for at in range(_USUAL_POSITIONS)]


def _weight(remark: Remark) -> str:
    return "D" if remark.is_internal else "C"


def store(documents: Sequence[Document]) -> None:
    """Write whole documents, in one statement."""
    if not documents:
        return
    rows = [dict(zip(_NAMES, _row_of(document), strict=True)) for document in documents]
    # One parameter: thousands of them would take longer to write out than the rows to store.
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO issues_searchdocument (issue_id, title, size_bytes, vector) "
            "SELECT id, title, size, vector::tsvector "
            "FROM json_to_recordset(%s::json) AS document (id uuid, title text, size int, vector text) "
            "ON CONFLICT (issue_id) DO UPDATE SET title = excluded.title, size_bytes = excluded.size_bytes, "
            "vector = excluded.vector",
            [orjson.dumps(rows).decode()],
        )


def prepare(document: Document) -> Prepared:
    """Return what is stored of a document that is new, but for its issue. Asks nothing of the database."""
    return _row_of(document)[1:]


def store_new(documents: Iterable[tuple[uuid.UUID | str, Prepared]]) -> None:
    """Write the documents of issues that have none yet. A COPY: an upsert costs twice as much."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for issue_id, (title, size_bytes, vector) in documents:
            copy.write_row((issue_id, title, size_bytes, vector))


def _row_of(document: Document) -> tuple[str, str, int, str]:
    title = groups(document.title)
    vector = _Vector()
    vector.add(title, "A")
    vector.add(groups(document.description), "B")
    for remark in document.remarks:
        vector.add(groups(remark.body), _weight(remark))
    return str(document.issue_id), " ".join(title[0]) if title else "", vector.size_bytes, str(vector)


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
        return Q(
            *(~Q(AboutIssue(_EXISTS, (query_of([each], internal=internal),))) for each in needles.refused)
        )
    query = query_of(needles.wanted, needles.refused, internal=internal)
    return Q(AboutIssue(_EXISTS if common else _FIRST, (query,)))


def relevance(needles: Needles, *, internal: bool) -> Combinable:
    """Return how well an issue matches, in millionths, more is better."""
    weights = _ALL_RANKS if internal else _PUBLIC_RANKS
    return AboutIssue(_RANK, (weights, query_of(needles.wanted, internal=internal)), IntegerField())


def is_common(needles: Needles, *, internal: bool) -> bool:
    """Whether more than `COMMON` issues match; remembered for some minutes."""
    query = query_of(needles.wanted, needles.refused, internal=internal)
    period = int(time.monotonic() / _REMEMBERED_SECONDS)
    return _is_common(str(connection.settings_dict["NAME"]), query, period)


@lru_cache(maxsize=4096)
def _is_common(_database: str, query: str, _period: int) -> bool:
    """Ask the planner, who expects half a percent of any beginning; count if it says so."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (FORMAT JSON) SELECT 1 FROM issues_searchdocument WHERE vector @@ %s::tsquery", [query]
        )
        (plan,) = cursor.fetchone()
        plan = json.loads(plan) if isinstance(plan, str) else plan
        if plan[0]["Plan"]["Plan Rows"] <= COMMON:
            return False
        # By the index: the planner would rather read every document for so few.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "SELECT count(*) FROM "
            "(SELECT 1 FROM issues_searchdocument WHERE vector @@ %s::tsquery LIMIT %s) AS few",
            [query, COMMON + 1],
        )
        (count,) = cursor.fetchone()
        cursor.execute("SET LOCAL enable_seqscan = on")
        return bool(count > COMMON)


def similar(issues: QuerySet[Any], words: Sequence[str], *, limit: int) -> list[Scored]:
    """Return the issues, among `issues`, whose titles are most like these words, the best first.

    Titles that share two of the words are taken by the index, `MOST_COMPARED` of them at most, and compared
    by trigrams; an index of trigrams alone has to look at most titles there are.
    """
    query = " | ".join(" & ".join(f"'{word}'" for word in pair) for pair in pairs(words))
    likely = issues.filter(AboutIssue(_LIKELY, (query,))).order_by()
    if not _has_trigrams(str(connection.settings_dict["NAME"])):
        return best(likely, words, limit=limit)
    score = AboutIssue(_SIMILARITY, (" ".join(words),), FloatField())
    chosen = issues.model.objects.filter(pk__in=likely.values("pk")[:MOST_COMPARED]).annotate(score=score)
    found = chosen.filter(score__gte=LEAST_SCORE).order_by("-score", "-pk")
    return [Scored(pk, value) for pk, value in found.values_list("pk", "score")[:limit]]


@lru_cache(maxsize=8)
def _has_trigrams(_database: str) -> bool:
    return TRIGRAMS not in missing()


# --- the index itself ----------------------------------------------------------------------------
_COLUMN: Final = "ALTER TABLE issues_searchdocument ADD COLUMN vector tsvector NOT NULL DEFAULT ''::tsvector"
_INDEXES: Final = {
    "issues_search_vector": "gin (vector)",
    "issues_search_words": "gin (array_to_tsvector(string_to_array(title, ' ')))",
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
            if name in lacking:
                at_once = "" if connection.in_atomic_block else "CONCURRENTLY"
                cursor.execute(f"DROP INDEX IF EXISTS {name}")  # one that was begun and not ended
                cursor.execute(
                    f"CREATE INDEX {at_once} {name} ON issues_searchdocument USING {definition} "
                    "WITH (gin_pending_list_limit = 128)"
                )
    return "vector" in lacking
