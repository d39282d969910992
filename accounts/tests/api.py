"""How the tests speak to the API."""

import json
from typing import Any

from django.test import Client

from accounts.models import User
from accounts.services.sessions import TokenPair, start_family


def send(method: str, path: str, data: Any = None, *, token: str = "", client: Client | None = None) -> Any:
    """Send JSON to `/api/v1/<path>` and return the response."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = b"" if data is None else json.dumps(data).encode()
    sender = client or Client()
    return sender.generic(method, f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def tokens(user: User) -> TokenPair:
    """Sign a person in as an API client."""
    return start_family(user)


def access(user: User) -> str:
    """Return an access token of a person."""
    return start_family(user).access
