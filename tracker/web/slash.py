"""An address typed without its last slash still finds its page."""

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware


class SlashMiddleware(CommonMiddleware):
    """Redirects what was not found to the same path with a slash, where there is a page.

    Django's own also looks at the Host of every request; here `FailureMiddleware` does, which lets probes by.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Let everything through."""
