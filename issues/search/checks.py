"""What the search needs of the database, each fault in one sentence."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, connection

from issues.models import SearchDocument
from issues.search.backend import backend
from issues.search.postgres import TRIGRAMS


@register(Tags.database)
def check_search(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Tell what is missing for the search, and who can mend it.

    Only warnings, and none where there are no tables yet: `migrate`, which makes what is missing, begins with
    these checks.
    """
    try:
        lacking = backend().missing() if databases and _is_migrated() else []
    except DatabaseError:  # not reachable: others tell
        return []
    found: list[CheckMessage] = []
    if TRIGRAMS in lacking:
        text = (
            "The extension pg_trgm is missing, so titles are compared in the web process. A superuser runs "
            "CREATE EXTENSION pg_trgm in this database."
        )
        found.append(Warning(text, id="issues.W001"))
        lacking = [name for name in lacking if name != TRIGRAMS]
    if lacking:
        names = ", ".join(lacking)
        found.append(Warning(f"The search lacks {names}; run manage.py rebuild_search.", id="issues.W002"))
    return found


def _is_migrated() -> bool:
    """Whether the documents' table is there: `migrate` itself runs this check first."""
    return SearchDocument._meta.db_table in connection.introspection.table_names()
