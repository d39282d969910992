"""A small API of its own, on which the shared HTTP layer is tested."""

from typing import Any, ClassVar, TypedDict

from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.urls import include, path, re_path
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import User
from tracker import errors
from tracker.api.bodies import Body
from tracker.api.fields import Amount, Choice, Day, Flag, Ref, Text, Whole
from tracker.api.operations import Param, operation
from tracker.api.pagination import SortKey, rows_of_objects
from tracker.api.unknown import UnknownPathView
from tracker.api.views import ApiView
from tracker.models import Event

FAILURES: dict[str, Exception] = {
    "locked": OperationalError("database is locked"),
    "away": InterfaceError("connection already closed"),
    "integrity": IntegrityError("UNIQUE constraint failed"),
    "data": DataError("value too long"),
    "bug": ZeroDivisionError("a bug"),
    "missing": Http404(),
    "hidden": errors.NotFound(),
    "role": errors.NotAllowed(fields={"status": ["Not yours."]}),
    "state": errors.Conflict("It is in use."),
    "transition": errors.IllegalTransition(details={"from": "done"}),
    "rate": errors.RateLimited(retry_after_seconds=7),
    "invalid": errors.Invalid(fields={"project": ["There is none."]}),
    "unavailable": errors.Unavailable(),
}


class ById(BaseAuthentication):
    """`Authorization: Bearer <id of the account>`; anything else that is sent is refused."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Return the account."""
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not sent:
            return None
        if sent == "bad":
            raise AuthenticationFailed
        return User.objects.get(pk=sent), None


class Signed(ApiView):
    """A view for who is signed in."""

    authentication_classes = (ById,)


class Thing(TypedDict):
    """A thing."""

    title: str
    size: int | None


class ThingBody(Body):
    """What may be sent."""

    ignored = frozenset({"author"})
    title = Text(min_length=1, max_length=20)
    flag = Flag(required=False)
    size = Whole(minimum=0, maximum=10, required=False, allow_null=True)
    estimate = Amount(minimum=0, maximum=100, required=False)
    due = Day(required=False, allow_null=True)
    kind = Choice(("bug", "task"), required=False)
    status = Ref("slug", "name", required=False)
    version = Whole(minimum=1, required=False)


class FileBody(Body):
    """A form."""

    title = Text(required=False)
    flag = Flag(required=False)


class ThingsView(Signed):
    """Things, which are events of the log."""

    SORTS: ClassVar = {
        "at": SortKey("at"),
        "version": SortKey("version", nullable=True),
        "verb": SortKey("verb"),
        "both": SortKey("verb", "version", nullable=True),
    }

    @operation(
        response=Thing,
        paginated=True,
        sorts=tuple(SORTS),
        query=[
            Param("verb"),
            Param("unread", "flag", default=False),
            Param("days", "whole", minimum=1, maximum=90, default=30),
            Param("kind", "choice", choices=("a", "b")),
            Param("since", "moment"),
            Param("until", "day"),
            Param("by", "uuid"),
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        """List them."""
        events = Event.objects.filter(source="api")
        if self.query["verb"]:
            events = events.filter(verb=self.query["verb"])
        rows = rows_of_objects(lambda event: {"title": event.verb, "size": event.version})
        return self.page(events, rows=rows, sorts=self.SORTS, default="-at", id_column="order")

    @operation(request=ThingBody, response=Thing, status=201)
    def post(self, request: Request) -> HttpResponse:
        """Write one, then refuse where the title says so."""
        body = self.body(ThingBody)
        Event.objects.create(verb=body["title"], source=self.caller.source, request_id=self.caller.request_id)
        if body["title"] in FAILURES:
            raise FAILURES[body["title"]]
        return self.created({"title": body["title"], "size": body.get("size")}, etag=1)


class ThingView(Signed):
    """One thing at version 7; `hidden` is hidden, `role` is not for this caller."""

    def find(self, name: str) -> None:
        if name in {"hidden", "absent"}:
            raise errors.NotFound

    @operation(response=Thing, etag=True)
    def get(self, request: Request, name: str) -> HttpResponse:
        """Return it."""
        self.find(name)
        return self.ok({"title": name, "size": 3}, etag=7)

    @operation(request=ThingBody, response=Thing, etag=True)
    def patch(self, request: Request, name: str) -> HttpResponse:
        """Change a part."""
        return self.change(name)

    @operation(request=ThingBody, response=Thing, etag=True)
    def put(self, request: Request, name: str) -> HttpResponse:
        """Change it."""
        return self.change(name)

    @operation(etag=True)
    def delete(self, request: Request, name: str) -> HttpResponse:
        """Delete it."""
        self.find(name)
        body = self.body(ThingBody, required=False)
        self.compare(body)
        return self.none()

    def change(self, name: str) -> HttpResponse:
        self.find(name)
        if name == "role":
            raise errors.NotAllowed
        body = self.body(ThingBody)
        self.compare(body)
        return self.ok({key: str(value) for key, value in body.items()}, etag=8)

    def compare(self, body: dict[str, Any]) -> None:
        expected = self.expected_version(body, current=7)
        if expected not in {None, 7}:
            raise errors.Stale(issue_id="it", expected=expected)


class FailingView(Signed):
    """Raises what the path names."""

    def get(self, request: Request, kind: str) -> HttpResponse:
        """Fail."""
        raise FAILURES[kind]


class UploadView(Signed):
    """Takes a form or JSON."""

    @operation(request=FileBody, multipart=FileBody, response=Thing)
    def post(self, request: Request) -> HttpResponse:
        """Say what came."""
        Event.objects.create(verb="upload", source="api")
        body = self.body(FileBody)
        return self.ok({"title": body.get("title"), "flag": body.get("flag")})

    @operation(request=FileBody, multipart=FileBody, response=Thing)
    def patch(self, request: Request) -> HttpResponse:
        """Say what came."""
        body = self.body(FileBody)
        return self.ok({"title": body.get("title"), "flag": body.get("flag")})


class SecretView(Signed):
    """Answers with a secret that is not kept."""

    keeps_replies = False

    @operation(response=Thing, status=201)
    def post(self, request: Request) -> HttpResponse:
        """Make a secret."""
        event = Event.objects.create(verb="secret", source="api")
        return self.created({"title": "secret", "size": event.pk})


class OpenView(ApiView):
    """For everybody."""

    anonymous = True

    def get(self, request: Request) -> HttpResponse:
        """Say hello."""
        return self.ok({"anonymous": self.user.is_anonymous})


class DownloadView(Signed):
    """A file, whatever is accepted."""

    answers_json = False

    @operation(media_type="text/csv")
    def get(self, request: Request) -> Any:
        """Return it."""
        return self.file(iter([b"a,b\n"]), filename="Bericht – 1.csv", media_type="text/csv")


class ListView(Signed):
    """A short list."""

    @operation(response=Thing, paginated=True)
    def get(self, request: Request) -> HttpResponse:
        """Return numbers."""
        return self.page_of([{"n": number} for number in range(7)])


urlpatterns = [
    path(
        "api/v1/",
        include(
            [
                path("things/", ThingsView.as_view()),
                path("things/<str:name>/", ThingView.as_view()),
                path("failing/<str:kind>/", FailingView.as_view()),
                path("upload/", UploadView.as_view()),
                path("secret/", SecretView.as_view()),
                path("open/", OpenView.as_view()),
                path("download/", DownloadView.as_view()),
                path("short/", ListView.as_view()),
            ]
        ),
    ),
    re_path(r"^api/", UnknownPathView.as_view()),
]

handler400 = "tracker.web.errors.bad_request"
handler403 = "tracker.web.errors.permission_denied"
handler404 = "tracker.web.errors.not_found"
handler500 = "tracker.web.errors.server_error"
