"""The query of a subscription, as a condition on issues."""

from django.db.models import Q

from accounts.models import User
from issues.query.asking import asking
from issues.query.compile import compile_query
from issues.query.language import parse
from issues.query.words import matches


def compile_text(user: User, text: str) -> Q:
    """Return the condition of a query for this person. Raises `Invalid`."""
    compiled = compile_query(parse(text), at=asking(user))
    return compiled.condition & matches(compiled.words)
