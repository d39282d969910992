"""Who may sign in, with which role."""

import secrets
import unicodedata
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.crypto import salted_hmac

from tracker.clock import now
from tracker.ids import new_id


def fold_email(email: str) -> str:
    """Return the form in which addresses are stored and compared: NFKC, then case folded."""
    return unicodedata.normalize("NFKC", email.strip()).casefold()


def new_stamp() -> str:
    """Return a random stamp; sessions made under another one are over."""
    return secrets.token_hex(16)


class Role(models.TextChoices):
    """The four global roles, the least first. Each is also a group of the same name."""

    REPORTER = "reporter"
    DEVELOPER = "developer"
    MAINTAINER = "maintainer"
    ADMIN = "admin"


class UserQuerySet(models.QuerySet["User"]):
    """Readings of people."""

    def active(self) -> "UserQuerySet":
        """Those who may sign in and be assigned."""
        return self.filter(is_active=True)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]  # dynamic base
    """Looks people up by the folded address. Accounts are made by `accounts.services.users`."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the account of an address, written in any case."""
        user: User = self.get(email=fold_email(username or ""))
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """An account. `role` is the one truth; membership of the role's group mirrors it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=20, choices=Role, default=Role.REPORTER)
    is_active = models.BooleanField(default=True)
    is_placeholder = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64, default="UTC")
    language = models.CharField(max_length=10, default="en")
    avatar = models.CharField(max_length=100, blank=True, default="", db_index=True)
    created_at = models.DateTimeField(default=now)
    sign_in_stamp = models.CharField(max_length=32, default=new_stamp, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]

    class Meta:
        permissions: ClassVar = [
            ("manage_users", "Create, change and deactivate users"),
            ("create_team", "Create teams and change those one leads"),
            ("manage_teams", "Change every team"),
            ("view_audit", "Read the audit log"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["name"], name="user_name")]

    def __str__(self) -> str:
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what a session must hold: over once the password or the stamp changes."""
        secrets_of_account = f"{self.sign_in_stamp}:{self.password}"
        return salted_hmac(
            "accounts.User.session", secrets_of_account, secret=secret, algorithm="sha256"
        ).hexdigest()

    @property
    def is_staff(self) -> bool:
        """Whether the Django admin lets this person in."""
        return self.role == Role.ADMIN

    @property
    def avatar_url(self) -> str | None:
        """Where the picture is; another one has another address. None where there is none."""
        return f"{settings.BASE_URL}{self.avatar_path}" if self.avatar else None

    @property
    def avatar_path(self) -> str:
        """The path of the picture on this host; "" where there is none."""
        return f"/api/v1/users/{self.pk}/avatar/{self.avatar_hash}" if self.avatar else ""

    @property
    def avatar_hash(self) -> str:
        """The hash of the picture's content, with which its key ends."""
        return self.avatar.rpartition("-")[2]


class ExternalIdentity(models.Model):
    """The account that stands for a person of another system, one for each name there."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="external_identities")
    source = models.CharField(max_length=200)
    external_id = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="external_identity_once")
        ]

    def __str__(self) -> str:
        return f"{self.external_id} at {self.source}"


class RoleDefault(models.Model):
    """A permission that was given to a role by default once, so that taking it away by hand lasts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    role = models.CharField(max_length=20, choices=Role)
    permission = models.CharField(max_length=100)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["role", "permission"], name="role_default_once")
        ]

    def __str__(self) -> str:
        return f"{self.role}: {self.permission}"
