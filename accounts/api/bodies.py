"""What may be sent about accounts and sign-ins."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework.fields import empty

from accounts.models import Role
from accounts.services.fields import MAX_PASSWORD
from tracker.api.bodies import Body
from tracker.api.fields import Choice, Flag, StrictField, Text, UploadedFile

READ_ONLY = frozenset({"avatar_url", "last_login_at"})
_LANGUAGES = [code for code, _ in settings.LANGUAGES]


def _password(**options: Any) -> Text:
    return Text(trim=False, min_length=1, max_length=MAX_PASSWORD, **options)


class Registration(Body):
    """Who registers is a reporter, whatever the body says of a role."""

    ignored = READ_ONLY | {"role", "is_active"}

    email = Text(min_length=1, max_length=254)
    password = _password()
    name = Text(min_length=1, max_length=100, required=False)


class SignIn(Body):
    """Address and password."""

    email = Text(min_length=1, max_length=254)
    password = _password()


class RefreshBody(Body):
    """A refresh token."""

    refresh = Text(min_length=1, max_length=4096)


class PasswordChange(Body):
    """The password as it is and as it shall be."""

    old = _password()
    new = _password()


class Nothing(Body):
    """No fields."""


class AccountChanges(Body):
    """What can be changed in an account. One's own role, address and activity are not one's own to change."""

    ignored = READ_ONLY

    email = Text(min_length=1, max_length=254, required=False)
    name = Text(min_length=1, max_length=100, required=False)
    role = Choice(Role.values, required=False)
    is_active = Flag(required=False)
    time_zone = Text(min_length=1, max_length=64, required=False)
    language = Choice(_LANGUAGES, required=False)


@extend_schema_field({"type": "null"})
class NoPicture(StrictField):
    """Nothing but null."""

    def run_validation(self, data: Any = empty) -> Any:
        """Return None for null; the framework's own way with null is no schema."""
        return None if data is None else super().run_validation(data)

    def read(self, data: Any) -> Any:
        """Refuse anything else."""
        raise TypeError("Send a picture as a file of a form (multipart/form-data), or null to remove it.")


class AvatarField(UploadedFile):
    """A picture, as a file of a form; null, or an empty text in a form, takes it away."""

    def read(self, data: Any) -> Any:
        """Return the upload, or None."""
        if self.is_form and data == "":
            return None
        return super().read(data)


class OwnChanges(AccountChanges):
    """What can be changed in one's own account, in JSON: a picture is only taken away here."""

    avatar = NoPicture(required=False)


class OwnForm(AccountChanges):
    """The same as a form, which may have a picture."""

    avatar = AvatarField(required=False, allow_null=True)


class NewAccount(AccountChanges):
    """An account made by an admin; without a password nobody can sign in with it yet."""

    email = Text(min_length=1, max_length=254)
    password = _password(required=False)
