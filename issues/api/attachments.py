"""Attachments: those of an issue, one by its id, and its content."""

import uuid
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from issues import policy
from issues.api.bodies import AttachmentBody, AttachmentForm
from issues.api.issues import OneIssueView
from issues.api.reading import visible_issue
from issues.api.shapes import Attachment as AttachmentShape
from issues.attachment_rows import attachment_rows
from issues.models import Attachment, AttachmentState, Issue
from issues.rows import Row
from issues.scope import scope_of
from issues.services.attachments import add_attachment, delete_attachment, rename_attachment
from tracker.api.files import StoredFile, send_file
from tracker.api.operations import Param, operation
from tracker.api.pagination import Rows, SortKey
from tracker.api.views import ApiView
from tracker.errors import Conflict, NotFound
from tracker.files.pictures import MEDIA_TYPE

SORTS: Final = {"created_at": SortKey("created_at")}
_VARIANT: Final = Param(
    "variant",
    "choice",
    choices=("original", "thumbnail"),
    default="original",
    description="`thumbnail`: of an image, at most 512 pixels a side, once it is made.",
)


class AttachmentsView(OneIssueView):
    """The files on an issue, the oldest first."""

    @operation(
        response=AttachmentShape,
        paginated=True,
        sorts=tuple(SORTS),
        summary="List the attachments of an issue",
    )
    def get(self, _request: Request, ref: str) -> HttpResponse:
        """Return a page of attachments."""
        issue = visible_issue(ref, user=self.user)
        return self.page(
            Attachment.objects.filter(issue=issue).select_related("issue"),
            rows=_rows_for(self.user),
            sorts=SORTS,
            default="created_at",
        )

    @operation(
        multipart=AttachmentForm,
        response=AttachmentShape,
        status=201,
        statuses=(409,),
        summary="Attach a file to an issue",
    )
    def post(self, _request: Request, ref: str) -> HttpResponse:
        """Attach a file. Its type is found from its content, whatever the form says."""
        issue = self._target(ref)
        _ = self.query
        sent = self.body(AttachmentForm)
        attachment = add_attachment(issue.pk, by=self.caller, upload=sent["file"])
        (row,) = attachment_rows([attachment], user=self.user)
        return self.created(row, location=f"/api/v1/attachments/{row['id']}")

    def require_upload(self, ref: str) -> None:
        """Refuse who may not attach anything here."""
        self._target(ref)

    def _target(self, ref: str) -> Issue:
        issue = visible_issue(ref, user=self.user)
        policy.require(allowed=policy.can_attach(scope_of(self.user)), message="You may not attach files.")
        return issue


class OneAttachmentView(ApiView):
    """What views of one attachment share."""

    def attachment(self, attachment_id: uuid.UUID) -> Attachment:
        """Return the attachment that the path names, with its issue. Raises `NotFound`."""
        visible = Attachment.objects.visible_to(self.user).filter(pk=attachment_id).select_related("issue")
        found: Attachment | None = visible.first()
        if found is None:
            raise NotFound
        return found


class AttachmentView(OneAttachmentView):
    """One attachment."""

    @operation(response=AttachmentShape, summary="Read what is known of an attachment")
    def get(self, _request: Request, attachment_id: uuid.UUID) -> HttpResponse:
        """Return the attachment."""
        attachment = self.attachment(attachment_id)
        _ = self.query
        return self._reply(attachment)

    @operation(
        request=AttachmentBody, response=AttachmentShape, statuses=(409,), summary="Rename an attachment"
    )
    def put(self, _request: Request, attachment_id: uuid.UUID) -> HttpResponse:
        """Give it another name."""
        return self._rename(attachment_id)

    @operation(
        request=AttachmentBody, response=AttachmentShape, statuses=(409,), summary="Change an attachment"
    )
    def patch(self, _request: Request, attachment_id: uuid.UUID) -> HttpResponse:
        """Give it another name."""
        return self._rename(attachment_id)

    @operation(response=None, statuses=(409,), summary="Delete an attachment")
    def delete(self, _request: Request, attachment_id: uuid.UUID) -> HttpResponse:
        """Delete the attachment and its file."""
        delete_attachment(attachment_id, by=self.caller)
        return self.none()

    def _rename(self, attachment_id: uuid.UUID) -> HttpResponse:
        attachment = self.attachment(attachment_id)
        policy.require(
            allowed=policy.can_change_attachment(scope_of(self.user), attachment),
            message="Only who attached a file, or who manages all, may change it.",
        )
        _ = self.query
        sent = self.body(AttachmentBody)
        if "filename" not in sent:
            return self._reply(attachment)
        return self._reply(rename_attachment(attachment.pk, by=self.caller, filename=sent["filename"]))

    def _reply(self, attachment: Attachment) -> HttpResponse:
        (row,) = attachment_rows([attachment], user=self.user)
        return self.ok(row)


class ContentView(OneAttachmentView):
    """The file itself."""

    answers_json: ClassVar[bool] = False

    @operation(
        media_type="*/*",
        query=(_VARIANT,),
        etag=True,
        ranges=True,
        statuses=(409,),
        summary="Read the file of an attachment",
    )
    def get(self, _request: Request, attachment_id: uuid.UUID) -> HttpResponseBase:
        """Send the file: whole, or the one range that is asked for."""
        attachment = self.attachment(attachment_id)
        variant = self.query["variant"]
        if attachment.state != AttachmentState.READY:
            raise Conflict("This file is not ready to be read.", details={"state": str(attachment.state)})
        return send_file(self.http_request, _stored(attachment, variant))


def _stored(attachment: Attachment, variant: str) -> StoredFile:
    if variant == "original":
        return StoredFile(attachment.key, attachment.filename, attachment.content_type, attachment.sha256)
    if not attachment.thumbnail_key:
        raise NotFound
    name = f"{attachment.filename}.webp"
    return StoredFile(attachment.thumbnail_key, name, MEDIA_TYPE, f"{attachment.sha256}-thumbnail")


def _rows_for(user: Any) -> Rows:
    def build(queryset: Any, extra: tuple[str, ...]) -> list[tuple[Row, tuple[Any, ...]]]:
        attachments = list(queryset)
        places = [tuple(getattr(each, name) for name in extra) for each in attachments]
        return list(zip(attachment_rows(attachments, user=user), places, strict=True))

    return build
