"""`issues/similar`: what may be the same, while a title is typed."""

import uuid
from typing import Final, TypedDict

from django.http import HttpResponse
from rest_framework.request import Request

from issues.api.shapes import ListedIssue
from issues.catalog import catalog
from issues.models import Issue
from issues.query.language import check_text
from issues.query.similar import similar_issues
from issues.rows import issue_rows
from issues.scope import scope_of
from tracker.api.operations import Param, operation
from tracker.api.views import ApiView
from tracker.errors import Invalid
from tracker.versions import versions_of

_TITLE: Final = Param("title", maximum=1000, required=True, description="The title that is being typed.")
_PROJECT: Final = Param("project", maximum=20, description="The key of a project; without it, all of them.")


class SimilarIssue(TypedDict):
    """An issue, and how alike its title is, from 0 to 1."""

    issue: ListedIssue
    score: float


class SimilarIssues(TypedDict):
    """The most alike first, ten at most."""

    results: list[SimilarIssue]


class SimilarView(ApiView):
    """Issues with a similar title."""

    @operation(response=SimilarIssues, query=(_TITLE, _PROJECT), summary="Find similar issues")
    def get(self, _request: Request) -> HttpResponse:
        """Return the issues whose titles are most alike, closed ones included."""
        title, project = self.query["title"], self.query["project"]
        check_text(title, parameter="title")
        found = similar_issues(title, user=self.user, project_id=self._project(project) if project else None)
        issues = Issue.objects.visible_to(self.user).filter(pk__in=[each.issue_id for each in found])
        rows = {row["id"]: row for row in issue_rows(issues, user=self.user)}
        scored = ((rows.get(str(each.issue_id)), round(each.score, 3)) for each in found)
        return self.ok({"results": [{"issue": row, "score": score} for row, score in scored if row]})

    def _project(self, key: str) -> uuid.UUID:
        project = catalog(versions_of(self.user)).project_by_key(key)
        if project is None or not scope_of(self.user).sees_project(project.id):
            raise Invalid(fields={"project": ["There is no such project."]})
        return project.id
