"""The steps of the workflow that one may take next, and taking one."""

from django.http import HttpResponse
from rest_framework.request import Request

from issues import policy
from issues.api.bodies import TransitionBody
from issues.api.issues import OneIssueView
from issues.api.reading import visible_issue
from issues.api.shapes import Issue as IssueShape
from issues.api.shapes import Steps
from issues.services.issues import change_status, next_statuses
from tracker.api.operations import operation


class TransitionsView(OneIssueView):
    """What may be done next."""

    @operation(response=Steps, summary="List the statuses that I may choose next")
    def get(self, _request: Request, ref: str) -> HttpResponse:
        """Return the statuses, each with the fields that it requires."""
        issue = visible_issue(ref, user=self.user)
        _ = self.query
        steps = next_statuses(issue, user=self.user)
        return self.ok(
            {
                "results": [
                    {
                        "slug": status.slug,
                        "name": status.name,
                        "category": status.category,
                        "requires": list(requires),
                    }
                    for status, requires in steps
                ]
            }
        )

    @operation(
        request=TransitionBody,
        response=IssueShape,
        etag=True,
        statuses=(409, 412, 422),
        summary="Change the status, with a comment",
    )
    def post(self, _request: Request, ref: str) -> HttpResponse:
        """Take the step; the comment is written with it or not at all."""
        sent = self.checked(
            ref, lambda: self.read_change(ref, TransitionBody), is_allowed=policy.can_change_status
        )
        issue = change_status(
            ref,
            by=self.caller,
            to=sent["to"],
            comment=(sent.get("comment") or "").strip() and sent["comment"],
            expected_version=sent["version"],
        )
        return self.issue_reply(issue)
