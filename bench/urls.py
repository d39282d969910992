"""The product's addresses, and a view that does nothing but to find out who asks."""

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from tracker.api.operations import operation
from tracker.api.views import ApiView
from tracker.urls import *  # noqa: F403  the handlers of errors as well
from tracker.urls import urlpatterns as product_urlpatterns

EMPTY = "api/v1/bench-empty/"


class EmptyView(ApiView):
    """What every authenticated request costs."""

    @operation(response=None, summary="Nothing")
    def get(self, _request: Request) -> HttpResponse:
        """Answer with an empty object."""
        return self.ok({})


urlpatterns = [path(EMPTY, EmptyView.as_view()), *product_urlpatterns]
