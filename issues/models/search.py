"""What the search knows of an issue."""

from django.db import models

from issues.models.issue import Issue


class SearchDocument(models.Model):
    """The text of an issue as tokens, written by `issues.services.search_documents` with each change of it.

    `id` is the key of the full-text index on SQLite. On PostgreSQL the table has one more column, `vector`,
    which models do not know. `title`: its tokens, for similar titles; `size_bytes`: how much of the vector
    is taken.
    """

    id = models.BigAutoField(primary_key=True)
    issue = models.OneToOneField(Issue, on_delete=models.CASCADE, related_name="search_document")
    title = models.TextField(default="")
    size_bytes = models.IntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.title
