"""The base of every API view, with the order of refusals of the contract.

    unknown path 404 → no identity 401 → method 405 → limits 429 → hidden 404 → role 403
    → body 413/415/400 → field 403 → values 400 → state 409/412/422

The first four are done here before the handler runs; the rest is the order of the handler's own lines:

    class IssueView(ApiView):
        @operation(response=IssueShape, etag=True)
        def get(self, request, key):
            issue = find_issue(self.user, key)                    # NotFound: 404
            return self.ok(issue_row(issue), etag=issue.version)  # 304 by If-None-Match

        @operation(request=IssueBody, response=IssueShape, etag=True, statuses=(409, 412, 422))
        def patch(self, request, key):
            issue = find_issue(self.user, key)                    # 404
            require(self.user, Action.EDIT, issue)                # NotAllowed: 403
            body = self.body(IssueBody)                           # 413, 415, 400; only what was sent
            expected = self.expected_version(body, current=issue.version)
            issue = edit_issue(issue.id, by=self.caller, changes=body, expected_version=expected)
            return self.ok(issue_row(issue), etag=issue.version)

Names: `self.user`, `self.caller`, `self.query` (declared parameters, checked), `self.body(BodyClass)`,
`self.expected_version(body, current=)`, `self.ok(data, status=, etag=, location=)`, `self.created(data)`,
`self.none()`, `self.page(queryset, rows=, sorts=, default=)`, `self.page_of(list)`; the class attributes
`anonymous`, `keeps_replies`, `answers_json`. Anything raised becomes the error reply
(`tracker.api.errors`); services raise DomainErrors and a view catches none.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.exceptions import MethodNotAllowed, NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from tracker.api import bodies, conditions, errors, forms, idempotency, limits, pagination, parsers
from tracker.api.operations import Operation, operation_of, parse_query
from tracker.api.replies import compress, json_reply
from tracker.caller import Caller
from tracker.errors import TooLarge, Unauthenticated

__all__ = ["ApiView"]

_NEGOTIATOR = DefaultContentNegotiation()
_JSON_RANGES = frozenset({"*/*", "application/*", "application/json"})


class ApiView(APIView):
    """A view of the API. See the module's docstring for its use."""

    anonymous: ClassVar[bool] = False
    """Open to everybody: no identity is looked for, requests count against the address."""
    keeps_replies: ClassVar[bool] = True
    """Whether a reply may be kept under an Idempotency-Key; not where it holds a secret."""
    answers_json: ClassVar[bool] = True
    """False for files and streams, which answer whatever `Accept` says."""

    permission_classes = ()
    throttle_classes = ()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request, in the order of refusals of the contract."""
        self.args, self.kwargs = args, kwargs
        self.http_request = request
        self.reply_headers: dict[str, str] = {}
        self._expected = conditions.Expected()
        self.request = self.initialize_request(request, *args, **kwargs)
        try:
            response = self._answer()
        except Exception as failure:  # noqa: BLE001  the last resort: every failure has the one shape
            response = self._refuse(failure)
        for name, value in self.reply_headers.items():
            response[name] = value
        return _without_body(response) if request.method == "HEAD" else response

    # --- for views ---------------------------------------------------------------------------------

    @property
    def user(self) -> Any:
        """Who asks."""
        return self.request.user

    @cached_property
    def caller(self) -> Caller:
        """Who asks, as services want it."""
        return Caller(user=self.user, source="api", request_id=errors.request_id_of(self.http_request))

    @cached_property
    def query(self) -> dict[str, Any]:
        """The declared query parameters, checked. Raises Invalid naming unknown and bad ones."""
        return parse_query(self._operation, self.http_request.GET)

    def body(
        self,
        body_class: type[Serializer[Any]],
        *,
        required: bool = True,
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the checked fields that were sent; ask for it after 404 and 403 are settled.

        PATCH takes any part, POST and PUT ask for the required fields. `required=False` lets the whole
        body be left out (a DELETE that may carry `version`). Raises TooLarge, Unsupported, Invalid.
        """
        is_form = False
        if not required and not self._has_body:
            data: Any = {}
        elif self._operation.multipart is not None and (
            self._operation.request is None or parsers.media_type(self.http_request) == forms.MULTIPART
        ):
            data, is_form = forms.read_form(self.http_request), True
        else:
            data = parsers.read_json(self.http_request)
        return bodies.check_body(
            body_class,
            data,
            partial=self.http_request.method == "PATCH" or not required,
            context={"request": self.request, "view": self, "form": is_form, **(context or {})},
        )

    def expected_version(
        self, body: Mapping[str, Any] | None = None, *, current: int | None = None
    ) -> int | None:
        """Return the version that the change expects, from `If-Match` or from `version` in the body.

        `current` is the version as the view has just read it. None where neither was sent. A Stale that
        the service then raises becomes 412 or 409 after where the version came from.
        """
        self._expected = conditions.expected(
            if_match=self.http_request.headers.get("If-Match"),
            body_version=(body or {}).get("version"),
            current=current,
        )
        return self._expected.version

    def ok(
        self, data: Any, *, status: int = 200, etag: int | str | None = None, location: str = ""
    ) -> HttpResponse:
        """Return `data` as JSON; with `etag` the tag, or 304 where the reader has that state already."""
        if etag is not None:
            self.reply_headers["ETag"] = conditions.quote(etag)
            if self._has_already(str(etag)):
                return HttpResponse(status=304)
        if location:
            self.reply_headers["Location"] = location
        return json_reply(data, status=status)

    def created(self, data: Any, *, etag: int | str | None = None, location: str = "") -> HttpResponse:
        """Return 201 with the thing."""
        return self.ok(data, status=201, etag=etag, location=location)

    def none(self) -> HttpResponse:
        """Return 204."""
        return HttpResponse(status=204)

    def page(
        self,
        queryset: QuerySet[Any],
        *,
        rows: pagination.Rows,
        sorts: Mapping[str, pagination.SortKey],
        default: str,
        id_column: str = "id",
    ) -> HttpResponse:
        """Return the page of the queryset that the query asks for (see `pagination.paginate`)."""
        _ = self.query  # unknown and bad parameters are refused before the list is read
        return self._reply_page(
            pagination.paginate(
                self.http_request, queryset, rows=rows, sorts=sorts, default=default, id_column=id_column
            )
        )

    def page_of(self, items: list[dict[str, Any]]) -> HttpResponse:
        """Return the page of a short list that is in memory."""
        _ = self.query
        return self._reply_page(pagination.paginate_list(self.http_request, items))

    def require_upload(self, *args: Any, **kwargs: Any) -> None:
        """Refuse by 404 or 403, before a form with files is read, who may not send it here.

        Asked for only under an Idempotency-Key: the form is hashed there before the handler runs.
        """

    def file(self, chunks: Any, *, filename: str, media_type: str) -> StreamingHttpResponse:
        """Return a download with its name."""
        response = StreamingHttpResponse(chunks, content_type=media_type)
        response["Content-Disposition"] = (
            content_disposition_header(as_attachment=True, filename=filename) or ""
        )
        response["X-Content-Type-Options"] = "nosniff"
        return response

    # --- the order ---------------------------------------------------------------------------------

    def _answer(self) -> HttpResponseBase:
        self._identify()
        limits.count(self.http_request, self.request.user)  # whatever comes of it
        handler = self._handler()
        limits.check(self.http_request, self.request.user)
        self._negotiate()
        parsers.check_query(self.http_request.META.get("QUERY_STRING", ""))
        key = self._idempotency_key()
        if key is None:
            return handler(self.request, *self.args, **self.kwargs)
        return self._run_once(key, handler)

    def _identify(self) -> None:
        user = self.request.user  # asks the authenticators, which refuse a bad token
        if not self.anonymous and not user.is_authenticated:
            raise Unauthenticated

    def _handler(self) -> Callable[..., HttpResponseBase]:
        method = (self.http_request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            self.reply_headers["Allow"] = ", ".join(self.allowed_methods)
            raise MethodNotAllowed(self.http_request.method or "")
        self._operation: Operation = operation_of(handler)
        found: Callable[..., HttpResponseBase] = handler
        return found

    def _negotiate(self) -> None:
        accept = self.http_request.headers.get("Accept", "")
        if self.answers_json and accept and not _accepts_json(accept):
            raise NotAcceptable

    def options(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        """Say which methods there are."""
        response = HttpResponse(status=204)
        response["Allow"] = ", ".join(self.allowed_methods)
        return response

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Return the framework's request, which only finds out who asks."""
        return Request(request, authenticators=self.get_authenticators(), negotiator=_NEGOTIATOR)

    def get_authenticators(self) -> list[Any]:
        """Return the ways to an identity; none for views that are open to everybody."""
        return [] if self.anonymous else super().get_authenticators()

    def _refuse(self, failure: Exception) -> HttpResponse:
        refusal = errors.refusal_of(
            failure, request=self.http_request, from_if_match=self._expected.from_if_match
        )
        return errors.reply(refusal, request=self.http_request)

    # --- repeats -----------------------------------------------------------------------------------

    def _idempotency_key(self) -> str | None:
        if self.http_request.method != "POST" or self.anonymous:
            return None
        key = idempotency.key_of(self.http_request)
        return key if self.keeps_replies else None

    def _run_once(self, key: str, handler: Callable[..., HttpResponseBase]) -> HttpResponseBase:
        if self._operation.multipart is not None:
            self.require_upload(*self.args, **self.kwargs)
        claim = idempotency.claim_of(
            self.http_request, user_id=self.request.user.pk, key=key, body_hash=self._body_hash()
        )
        return idempotency.run_once(
            claim, lambda: self._whole(handler(self.request, *self.args, **self.kwargs)), refuse=self._refuse
        )

    def _whole(self, response: HttpResponseBase) -> HttpResponse:
        if not isinstance(response, HttpResponse):
            raise TypeError("A stream cannot be kept: set keeps_replies to False.")
        for name, value in self.reply_headers.items():
            response[name] = value
        return response

    def _body_hash(self) -> str:
        if self._operation.multipart is not None and parsers.media_type(self.http_request) == forms.MULTIPART:
            return forms.hash_form(self.http_request)
        if parsers.content_length(self.http_request) > parsers.MAX_JSON_BYTES:
            raise TooLarge("A JSON body may have at most 1 MiB.")
        return idempotency.hash_of(self.http_request.body)

    # --- small things ------------------------------------------------------------------------------

    @property
    def _has_body(self) -> bool:
        return parsers.content_length(self.http_request) > 0

    def _has_already(self, etag: str) -> bool:
        header = self.http_request.headers.get("If-None-Match")
        return (
            header is not None
            and self.http_request.method in {"GET", "HEAD"}
            and conditions.matches(header, etag)
        )

    def _reply_page(self, page: pagination.Page) -> HttpResponse:
        if page.link:
            self.reply_headers["Link"] = page.link
        response = self.ok(page.body())
        compress(response, accepted=self.http_request.headers.get("Accept-Encoding", ""))
        return response


def _accepts_json(accept: str) -> bool:
    for part in accept.split(","):
        name, *options = (piece.strip().lower() for piece in part.split(";"))
        refused = any(option.replace(" ", "") in {"q=0", "q=0.0", "q=0.00", "q=0.000"} for option in options)
        if name in _JSON_RANGES and not refused:
            return True
    return False


def _without_body(response: HttpResponseBase) -> HttpResponseBase:
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))
        response.content = b""
    return response
