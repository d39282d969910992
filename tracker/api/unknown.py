"""What answers below `/api/` where there is no route."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from tracker.api.errors import plain_reply


@method_decorator(csrf_exempt, name="dispatch")
class UnknownPathView(View):
    """404 in the form of the API for every method, in debug mode as well."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer 404."""
        response: HttpResponse = plain_reply(404, request=request)
        return response
