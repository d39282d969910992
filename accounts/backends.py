"""Signs in by e-mail and password; reads the identity of a request in one query."""

import uuid
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from accounts.models import User
from accounts.rights import rights_of
from tracker.versions import with_versions


class EmailBackend(ModelBackend):
    """Sessions resolve here on every request; permissions come from the role's group."""

    def get_user(self, user_id: uuid.UUID) -> User | None:
        """Return the active account with the versions of the caches."""
        user: User | None = with_versions(User.objects.filter(pk=user_id, is_active=True)).first()
        return user

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:  # type: ignore[override]
        """Refuse: signing in goes through `accounts.services.sessions`, with its limits."""
        return

    def has_perm(self, user_obj: Any, perm: str, obj: object | None = None) -> bool:
        """Whether the role's group holds the permission."""
        return obj is None and rights_of(user_obj).may(perm)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether there is any permission of the app."""
        return any(name.startswith(f"{app_label}.") for name in rights_of(user_obj).permissions)
