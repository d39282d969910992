"""The content security policy: of the settings for pages, nothing at all for data."""

from typing import Final

from csp.middleware import CSPMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from tracker.web.paths import is_api

HEADER: Final = "Content-Security-Policy"
DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


class ContentPolicyMiddleware(CSPMiddleware):
    """Sets the policy, and saves data below `/api/` the work of building the pages' one."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the header where the view has not."""
        if is_api(request) and isinstance(response, HttpResponse) and _is_json(response):
            response.headers.setdefault(HEADER, DATA_POLICY)
            return response
        return super().process_response(request, response)


def _is_json(response: HttpResponse) -> bool:
    return response.headers.get("Content-Type", "") == "application/json"
