"""The issues of the API: the list, one issue, the search, the trash."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from issues import policy
from issues.api.bodies import IssueBody, NewIssueBody, VersionBody
from issues.api.parameters import FILTERS, LIST_INCLUDE, PAGE_PARAMETERS, SEARCH_FILTERS, TRASHED_PARAMETER
from issues.api.reading import included, rows_for, visible_issue
from issues.api.shapes import Issue as IssueShape
from issues.api.shapes import ListedIssue
from issues.api.stale import stale_details
from issues.catalog import ProjectInfo, catalog
from issues.models import Issue
from issues.query.filters import IssueFilter, read_filter
from issues.query.sorts import DEFAULT, SORT_NAMES
from issues.refs import find_issue, is_key
from issues.rows import Row, issue_row
from issues.scope import Scope, scope_of
from issues.services.issues import create_issue, edit_issue, restore_issue, trash_issue
from tracker.api.errors import on_stale
from tracker.api.operations import Param, operation
from tracker.api.views import ApiView
from tracker.errors import Invalid, NotAllowed, NotFound, TooLarge, Unsupported
from tracker.versions import versions_of

INCLUDES: Final = ("comments", "history", "attachments", "relations")
_INCLUDE: Final = Param("include", description=f"any of {', '.join(INCLUDES)}: the first 100 rows of each")
_Checked = TypeVar("_Checked")

on_stale(stale_details)


class ListView(ApiView):
    """What lists of issues share."""

    def asked(self) -> IssueFilter:
        """Return the filter of the request."""
        _ = self.query
        return read_filter(self.http_request.GET, user=self.user, ignore=PAGE_PARAMETERS)

    def listed(self, asked: IssueFilter, *, only: Q | None = None, default: str = DEFAULT) -> HttpResponse:
        """Return the page of the visible issues that match."""
        return self.page(
            asked.issues().filter(only or Q()),
            rows=rows_for(self.user, description=self.query["include"] == "description"),
            sorts=asked.sorts(),
            default=default,
        )


class IssuesView(ListView):
    """Every issue that one sees, and filing a new one."""

    @operation(
        response=ListedIssue,
        query=(*FILTERS, LIST_INCLUDE),
        paginated=True,
        sorts=SORT_NAMES,
        statuses=(403,),
        summary="List issues",
    )
    def get(self, _request: Request) -> HttpResponse:
        """Return a page of issues."""
        return self.listed(self.asked())

    @operation(
        request=NewIssueBody,
        response=IssueShape,
        status=201,
        etag=True,
        statuses=(409,),
        summary="File an issue",
    )
    def post(self, _request: Request) -> HttpResponse:
        """File an issue as oneself."""
        scope = scope_of(self.user)
        policy.require(allowed=scope.may("file_issue"), message="You may not file issues.")
        _ = self.query
        fields = self.body(NewIssueBody)
        fields.pop("version", None)
        project = self._project(fields.pop("project", settings.DEFAULT_PROJECT), scope)
        issue = create_issue(project.id, by=self.caller, fields=fields)
        row = issue_row(issue, user=self.user)
        return self.created(row, etag=issue.version, location=f"/api/v1/issues/{row['id']}")

    def _project(self, key: str, scope: Scope) -> ProjectInfo:
        if not key:
            raise Invalid(fields={"project": ["This field is required."]})
        project = catalog(versions_of(self.user)).project_by_key(key)
        if project is None or not scope.sees_project(project.id):
            raise Invalid(fields={"project": ["There is no such project."]})
        return project


class MyIssuesView(ListView):
    """What is assigned to oneself, or reported by oneself."""

    @operation(
        response=ListedIssue,
        query=(*FILTERS, LIST_INCLUDE),
        paginated=True,
        sorts=SORT_NAMES,
        statuses=(403,),
        summary="List my issues",
    )
    def get(self, _request: Request) -> HttpResponse:
        """Return a page of one's own issues."""
        mine = Q(assignee=self.user.pk) | Q(reporter=self.user.pk)
        return self.listed(self.asked(), only=mine)


class SearchView(ListView):
    """Search by words or by the query language, the best match first."""

    @operation(
        response=ListedIssue,
        query=(*SEARCH_FILTERS, LIST_INCLUDE),
        paginated=True,
        sorts=SORT_NAMES,
        statuses=(403,),
        summary="Search issues",
    )
    def get(self, _request: Request) -> HttpResponse:
        """Return a page of what was found."""
        if not (self.query["q"] or "").strip():
            raise Invalid(fields={"q": ["Say what to search for."]})
        asked = self.asked()
        return self.listed(asked, default=asked.default_sort)


class OneIssueView(ApiView):
    """What views of one issue share."""

    def checked(
        self,
        ref: str,
        check: Callable[[], _Checked],
        *,
        is_allowed: Callable[[Scope, Issue], bool] | None = None,
    ) -> _Checked:
        """Return what `check` returns. Where it refuses what was sent, first refuse who asks.

        A hidden issue and a role that may not do this at all are told before what is wrong with the request,
        and cost a query only where something is wrong.
        """
        try:
            return check()
        except (Invalid, TooLarge, Unsupported):
            issue = visible_issue(ref, user=self.user)
            if is_allowed is not None:
                policy.require(allowed=is_allowed(scope_of(self.user), issue))
            raise

    def read_change(self, ref: str, body_class: type[Serializer[Any]], *, required: bool = True) -> Row:
        """Return the checked body, with the version that the change expects as `version`."""
        _ = self.query
        body = self.body(body_class, required=required)
        if_match = self.http_request.headers.get("If-Match", "")
        needs_current = "," in if_match or (if_match and body.get("version") is not None)
        current = visible_issue(ref, user=self.user).version if needs_current else None
        return {**body, "version": self.expected_version(body, current=current)}

    def issue_reply(self, issue: Issue) -> HttpResponse:
        """Return the issue with its tag."""
        return self.ok(issue_row(issue, user=self.user), etag=issue.version)


class IssueView(OneIssueView):
    """One issue, by id, key, or a key that it had."""

    @operation(
        response=IssueShape,
        query=(_INCLUDE, TRASHED_PARAMETER),
        etag=True,
        statuses=(403,),
        summary="Read an issue",
    )
    def get(self, _request: Request, ref: str) -> HttpResponse:
        """Return the issue."""
        query, names = self.checked(ref, lambda: (self.query, self._includes()))
        issue = find_issue(ref, user=self.user, among=self._among(trashed=query["trashed"] == "true"))
        if not names:
            return self.issue_reply(issue)
        row = issue_row(issue, user=self.user)
        row |= included(issue, row["key"], names, user=self.user)
        # The tag speaks for the issue's own fields; it cannot spare the reader the lists.
        self.reply_headers["ETag"] = f'"{issue.version}"'
        return self.ok(row)

    @operation(
        request=IssueBody,
        response=IssueShape,
        etag=True,
        statuses=(409, 412, 422),
        summary="Replace an issue",
    )
    def put(self, _request: Request, ref: str) -> HttpResponse:
        """Change the issue; what is left out keeps its value."""
        return self._edit(ref)

    @operation(
        request=IssueBody, response=IssueShape, etag=True, statuses=(409, 412, 422), summary="Change an issue"
    )
    def patch(self, _request: Request, ref: str) -> HttpResponse:
        """Change the fields that were sent."""
        return self._edit(ref)

    @operation(
        request=VersionBody,
        response=None,
        etag=True,
        statuses=(409, 412, 413, 415),
        summary="Move an issue to the trash",
    )
    def delete(self, _request: Request, ref: str) -> HttpResponse:
        """Move the issue to the trash."""
        sent = self.checked(
            ref,
            lambda: self.read_change(ref, VersionBody, required=False),
            is_allowed=lambda scope, _issue: policy.can_trash(scope),
        )
        trash_issue(ref, by=self.caller, expected_version=sent["version"])
        return self.none()

    def _edit(self, ref: str) -> HttpResponse:
        changes = self.checked(ref, lambda: self.read_change(ref, IssueBody))
        expected = changes.pop("version")
        issue = edit_issue(ref, by=self.caller, changes=changes, expected_version=expected)
        return self.issue_reply(issue)

    def _among(self, *, trashed: bool) -> Any:
        if not trashed:
            return Issue.objects.visible_to(self.user)
        if not policy.can_trash(scope_of(self.user)):
            raise NotAllowed("You may not see the trash.")
        return Issue.objects.visible_or_trashed_to(self.user)

    def _includes(self) -> frozenset[str]:
        names = frozenset(name.strip() for name in (self.query["include"] or "").split(",") if name.strip())
        unknown = sorted(names - set(INCLUDES))
        if unknown:
            text = f"Unknown: {', '.join(unknown)[:100]}. Known: {', '.join(INCLUDES)}."
            raise Invalid(fields={"include": [text]})
        return names


class IssueByKeyView(OneIssueView):
    """One issue by its key alone."""

    @operation(response=IssueShape, etag=True, summary="Read an issue by its key")
    def get(self, _request: Request, key: str) -> HttpResponse:
        """Return the issue."""
        if not is_key(key):
            raise NotFound
        issue = visible_issue(key, user=self.user)
        _ = self.query
        return self.issue_reply(issue)


class RestoreView(OneIssueView):
    """Taking an issue out of the trash."""

    @operation(response=IssueShape, etag=True, statuses=(409,), summary="Restore an issue from the trash")
    def post(self, _request: Request, ref: str) -> HttpResponse:
        """Restore the issue."""
        return self.issue_reply(restore_issue(ref, by=self.caller))
