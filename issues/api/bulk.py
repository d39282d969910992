"""The same change of many issues."""

from typing import Any, Literal, TypedDict

from django.http import HttpResponse, QueryDict
from rest_framework.request import Request

from issues import policy
from issues.api.bulk_bodies import BulkBody, BulkStatusBody
from issues.query.filters import QUERY, read_filter
from issues.scope import scope_of
from issues.services.bulk import MAX_ISSUES, change_many
from tracker.api.operations import operation
from tracker.api.views import ApiView
from tracker.errors import Invalid


class BulkError(TypedDict):
    """Why one issue was refused."""

    error: str
    message: str
    details: dict[str, Any]


class BulkResult(TypedDict):
    """What became of one issue; what was not found has only the id or key by which it was named."""

    id: str | None
    key: str | None
    ok: bool
    version: int | None
    error: BulkError | None


class BulkReply(TypedDict):
    """What became of all. Nothing can be undone yet: `undo_url` is null."""

    updated: int
    unchanged: int
    dry_run: bool
    results: list[BulkResult]
    undo_url: Literal[None]


class _BulkView(ApiView):
    def require_allowed(self) -> None:
        """Refuse who may not change many issues, before what was sent is read."""
        policy.require(
            allowed=policy.can_bulk(scope_of(self.user)), message="You may not change many issues."
        )


class BulkStatusView(_BulkView):
    """One status for many issues, in one transaction."""

    @operation(
        request=BulkStatusBody,
        response=BulkReply,
        status=200,
        statuses=(409, 422),
        summary="Change the status of many issues, all or none",
    )
    def post(self, _request: Request) -> HttpResponse:
        """Take the step with every issue, or with none."""
        self.require_allowed()
        _ = self.query
        sent = self.body(BulkStatusBody)
        report = change_many(sent["issue_ids"], by=self.caller, changes={"status": sent["new_status"]})
        return self.ok(report.body())


class BulkView(_BulkView):
    """Any fields of many issues."""

    @operation(
        request=BulkBody,
        response=BulkReply,
        status=200,
        statuses=(409, 422),
        summary="Change many issues, all or none unless `atomic` is false",
    )
    def post(self, _request: Request) -> HttpResponse:
        """Change every issue that is named or found; `dry_run` tells what would become of them."""
        self.require_allowed()
        _ = self.query
        sent = self.body(BulkBody)
        changes = sent.get("changes", {})
        changes.pop("version", None)
        comment = (sent.get("comment") or "").strip() and sent["comment"]
        if not changes and not comment:
            raise Invalid(fields={"changes": ["Say what to change, or comment."]})
        report = change_many(
            self._named(sent),
            by=self.caller,
            changes=changes,
            comment=comment or "",
            atomic=sent.get("atomic", True),
            dry_run=sent.get("dry_run", False),
        )
        return self.ok(report.body())

    def _named(self, sent: dict[str, Any]) -> list[Any]:
        if ("issue_ids" in sent) == (QUERY in sent):
            raise Invalid(fields={"issue_ids": ["Send either `issue_ids` or `q`."]})
        if "issue_ids" in sent:
            named: list[Any] = sent["issue_ids"]
            return named
        params = QueryDict(mutable=True)
        params[QUERY] = sent[QUERY]
        found = read_filter(params, user=self.user).issues().order_by("pk").values_list("pk", flat=True)
        ids = list(found[: MAX_ISSUES + 1])
        if len(ids) > MAX_ISSUES:
            raise Invalid(fields={QUERY: [f"Finds more than {MAX_ISSUES} issues: narrow it."]})
        return ids
