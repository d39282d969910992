"""A client of the small API, signed in by the id of an account."""

import json
from typing import Any

from django.test import Client

from accounts.models import User


class ApiClient(Client):
    """Sends and reads JSON."""

    def __init__(self, user: User | None = None, **options: Any) -> None:
        headers = {"Authorization": f"Bearer {user.pk}"} if user else {}
        super().__init__(headers=headers, **options)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send JSON (or bytes as they are); names of headers have underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.generic(method, path, content, "application/json", headers=named)
