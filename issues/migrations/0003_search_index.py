"""The full-text index beside the search documents: what models do not know, for each kind of database.

The texts themselves come after the migrations, from the code that also writes them later.
"""

import sys

from django.db import migrations, transaction
from django.db.utils import DatabaseError

POSTGRES = (
    "ALTER TABLE issues_searchdocument ADD COLUMN IF NOT EXISTS vector tsvector NOT NULL DEFAULT ''::tsvector",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS issues_search_vector ON issues_searchdocument "
    "USING gin (vector) WITH (gin_pending_list_limit = 128)",
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS issues_search_words ON issues_searchdocument "
    "USING gin (array_to_tsvector(string_to_array(title, ' '))) WITH (gin_pending_list_limit = 128)",
)
SQLITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS issues_searchtext "
    "USING fts5 (title, description, comments, internal, tokenize = 'ascii')"
)
MISSING = (
    "  The extension pg_trgm could not be created ({reason}).\n"
    "  Titles are compared in the web process, which is slower, until a superuser runs\n"
    "  CREATE EXTENSION pg_trgm in this database.\n"
)


def make(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # an index over a million rows takes its time
    for statement in POSTGRES:
        schema_editor.execute(statement)
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError as error:
        sys.stderr.write(MISSING.format(reason=str(error).splitlines()[0]))


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE IF EXISTS issues_searchtext")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX CONCURRENTLY IF EXISTS issues_search_words")
        schema_editor.execute("DROP INDEX CONCURRENTLY IF EXISTS issues_search_vector")
        schema_editor.execute("ALTER TABLE issues_searchdocument DROP COLUMN IF EXISTS vector")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("issues", "0002_search_document")]

    operations = [migrations.RunPython(make, drop)]
