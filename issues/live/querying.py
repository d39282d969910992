"""The query of a subscription, as a condition on issues."""

from django.db.models import Q

from accounts.models import User
from issues.query.asking import asking
from issues.query.compile import compile_query
from issues.query.language import parse
from issues.query.words import Search


def compile_text(user: User, text: str) -> Q:
    """Return the condition of a query for this person. Raises `Invalid`."""
    reader = asking(user)
    compiled = compile_query(parse(text), at=reader)
    # it is asked of one issue at a time, so all matches are never wanted
    search = Search(compiled.words, reader.scope.reads_internal, is_ranked=False)
    return compiled.condition & search.condition()
