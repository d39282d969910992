"""`users` and `auth/me`: accounts, for admins and for oneself."""

import uuid
from typing import ClassVar, Final

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts import policy
from accounts.api.bodies import AccountChanges, NewAccount, OwnChanges, OwnForm
from accounts.api.shapes import Account, account_row
from accounts.models import Role, User
from accounts.services import users
from accounts.services.avatars import edit_account
from accounts.services.registration import name_from_email
from tracker.api.files import KEPT_FOR_EVER, StoredFile, send_file
from tracker.api.forms import MULTIPART
from tracker.api.operations import Param, operation
from tracker.api.pagination import Row, SortKey, rows_of_objects
from tracker.api.parsers import media_type
from tracker.api.views import ApiView
from tracker.errors import NotFound
from tracker.files.pictures import MEDIA_TYPE

SORTS: Final = {
    "created_at": SortKey("created_at"),
    "name": SortKey("name"),
    "email": SortKey("email"),
    "last_login_at": SortKey("last_login", nullable=True),
}
FILTERS: Final = (
    Param("role", "choice", choices=Role.values, description="Accounts of this role."),
    Param("is_active", "flag", description="Accounts that may sign in, or that may not."),
    Param("search", maximum=254, description="Part of the name or the address."),
)


class UsersView(ApiView):
    """`users`."""

    @operation(response=Account, paginated=True, query=FILTERS, sorts=tuple(SORTS), summary="List accounts")
    def get(self, request: Request) -> HttpResponse:
        """List the accounts, newest first."""
        policy.require(allowed=policy.can_manage_users(self.user))
        found = _filtered(
            role=self.query["role"], is_active=self.query["is_active"], search=self.query["search"]
        )
        return self.page(found, rows=rows_of_objects(_row), sorts=SORTS, default="-created_at")

    @operation(request=NewAccount, response=Account, status=201, statuses=(409,), summary="Create an account")
    def post(self, request: Request) -> HttpResponse:
        """Make an account."""
        policy.require(allowed=policy.can_manage_users(self.user))
        body = self.body(NewAccount)
        body.setdefault("name", name_from_email(body["email"]))
        return self.created(account_row(users.create_user(by=self.caller, **body)))


class UserView(ApiView):
    """`users/{id}`: one's own account, or any for who manages users."""

    @operation(response=Account, summary="Read an account")
    def get(self, request: Request, user_id: uuid.UUID) -> HttpResponse:
        """Show an account."""
        return self.ok(account_row(self._account(user_id)))

    @operation(request=AccountChanges, response=Account, statuses=(409,), summary="Change an account")
    def put(self, request: Request, user_id: uuid.UUID) -> HttpResponse:
        """Change an account; what is left out stays."""
        return self._change(user_id)

    @operation(
        request=AccountChanges, response=Account, statuses=(409,), summary="Change parts of an account"
    )
    def patch(self, request: Request, user_id: uuid.UUID) -> HttpResponse:
        """Change an account."""
        return self._change(user_id)

    @operation(statuses=(409,), summary="Deactivate an account")
    def delete(self, request: Request, user_id: uuid.UUID) -> HttpResponse:
        """Take an account out of use; what it did stays."""
        users.deactivate_user(self._account(user_id).pk, by=self.caller)
        return self.none()

    def _change(self, user_id: uuid.UUID) -> HttpResponse:
        account = self._account(user_id)
        changes = self.body(AccountChanges)
        return self.ok(account_row(users.edit_user(account.pk, by=self.caller, changes=changes)))

    def _account(self, user_id: uuid.UUID) -> User:
        account: User | None = User.objects.filter(pk=user_id).first()
        if account is None or not policy.can_see_account(self.user, account):
            raise NotFound
        return account


class MeView(ApiView):
    """`auth/me` and `users/me`."""

    @operation(response=Account, summary="Read one's account")
    def get(self, request: Request) -> HttpResponse:
        """Show who is signed in."""
        return self.ok(account_row(self.user))

    @operation(
        request=OwnChanges,
        multipart=OwnForm,
        response=Account,
        statuses=(409,),
        summary="Change one's account",
    )
    def put(self, request: Request) -> HttpResponse:
        """Change one's own account; what is left out stays."""
        return self._change()

    @operation(
        request=OwnChanges,
        multipart=OwnForm,
        response=Account,
        statuses=(409,),
        summary="Change parts of one's account",
    )
    def patch(self, request: Request) -> HttpResponse:
        """Change one's own account."""
        return self._change()

    def _change(self) -> HttpResponse:
        changes = self.body(OwnForm if media_type(self.http_request) == MULTIPART else OwnChanges)
        return self.ok(account_row(edit_account(self.user.pk, by=self.caller, changes=changes)))


class AvatarView(ApiView):
    """`users/{id}/avatar/{hash}`: a person's picture, for whoever is signed in. It never changes."""

    answers_json: ClassVar[bool] = False

    @operation(media_type=MEDIA_TYPE, etag=True, ranges=True, summary="Read a person's picture")
    def get(self, request: Request, user_id: uuid.UUID, content_hash: str) -> HttpResponseBase:
        """Send the picture."""
        person: User | None = User.objects.filter(pk=user_id).only("avatar").first()
        if person is None or not person.avatar or person.avatar_hash != content_hash:
            raise NotFound
        _ = self.query
        stored = StoredFile(person.avatar, "avatar.webp", MEDIA_TYPE, content_hash, cache=KEPT_FOR_EVER)
        return send_file(self.http_request, stored)


def _filtered(*, role: str | None, is_active: bool | None, search: str | None) -> QuerySet[User]:
    found: QuerySet[User] = User.objects.all()
    if role is not None:
        found = found.filter(role=role)
    if is_active is not None:
        found = found.filter(is_active=is_active)
    if search:
        found = found.filter(Q(name__icontains=search) | Q(email__icontains=search))
    return found


def _row(user: User) -> Row:
    return dict(account_row(user))
