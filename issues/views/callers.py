"""Who is behind a page's request, and what pages answer to refusals."""

from collections.abc import Mapping
from typing import Final, cast

from django.http import HttpRequest

from accounts.models import User
from issues.catalog import ProjectInfo, catalog
from issues.scope import Scope, scope_of
from tracker.caller import Caller
from tracker.errors import Conflict, DomainError, IllegalTransition, Invalid, NotAllowed, NotFound
from tracker.versions import versions_of

# What a form can show beside what was typed; anything else becomes a page of its own.
REFUSALS: Final = (Invalid, NotAllowed, Conflict, IllegalTransition)
_STATUS: Final[Mapping[str, int]] = {
    NotAllowed.code: 403,
    Conflict.code: 409,
    IllegalTransition.code: 422,
}


def person(request: HttpRequest) -> User:
    """Return who is signed in; for views behind `login_required`."""
    return cast("User", request.user)


def caller_of(request: HttpRequest) -> Caller:
    """Return the caller of the services for this request."""
    return Caller(user=person(request), source="web", request_id=getattr(request, "request_id", ""))


def status_of(error: DomainError) -> int:
    """Return the HTTP status of a refusal that a form shows."""
    return _STATUS.get(error.code, 400)


def visible_project(request: HttpRequest, key: str) -> tuple[ProjectInfo, Scope]:
    """Return a project by its key in any case, and the scope of who asks. Raises `NotFound`."""
    user = person(request)
    scope, project = scope_of(user), catalog(versions_of(user)).project_by_key(key)
    if project is None or not scope.sees_project(project.id):
        raise NotFound
    return project, scope
