"""Sign-ins of API clients, and the attempts that failed."""

from typing import ClassVar

from django.db import models

from tracker.clock import now
from tracker.ids import new_id


class TokenFamily(models.Model):
    """One sign-in of an API client: the refresh tokens that follow from one another, and their access tokens.

    Once `ended_at` is set, every token of the family is over at the next request.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="token_families")
    created_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=30, default="", blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "ended_at"], name="token_family_user")]

    def __str__(self) -> str:
        return str(self.id)


class RefreshToken(models.Model):
    """A refresh token by its `jti`; used once, by an UPDATE that only one caller can win."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    family = models.ForeignKey(TokenFamily, on_delete=models.CASCADE, related_name="refresh_tokens")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="refresh_token_expiry")]

    def __str__(self) -> str:
        return str(self.id)


class SocketTicket(models.Model):
    """A ticket for one WebSocket, good for seconds; only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="socket_tickets")
    family = models.ForeignKey(TokenFamily, on_delete=models.CASCADE, null=True)
    session_key = models.CharField(max_length=40, default="", blank=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.id)


class SignInAttempt(models.Model):
    """A sign-in or registration, for the limits by account and by address."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=12, choices=[("sign_in", "sign-in"), ("register", "registration")])
    account = models.CharField(max_length=64, blank=True, default="")
    address = models.CharField(max_length=64)
    at = models.DateTimeField(default=now)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["kind", "address", "at"], name="attempt_address"),
            models.Index(fields=["kind", "account", "at"], name="attempt_account"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at}"
