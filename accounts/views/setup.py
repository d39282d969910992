"""The page behind the one-time set-up link: makes the first admin, or fills in sample data."""

from threading import Thread
from typing import Any, Final

from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.forms.sign_in import RegistrationForm
from accounts.models import SetupState
from accounts.services import setup
from accounts.views.browsers import refused, welcome
from tracker.errors import DomainError, NotFound

_LOOK_AGAIN_SECONDS: Final = 3


@method_decorator((never_cache, sensitive_post_parameters("password")), name="dispatch")
class SetupView(View):
    """`/setup/<token>/`."""

    template = "setup/setup.html"

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show the two ways, or how far the sample data is; with `?wait` go on once it is there."""
        try:
            link = setup.find_setup_link(token)
        except NotFound:
            if "wait" in request.GET:
                return HttpResponseRedirect(str(settings.LOGIN_URL))
            raise
        if link.state == SetupState.FILLING:
            response = render(request, "setup/filling.html")
            response["Refresh"] = str(_LOOK_AGAIN_SECONDS)
            return response
        context = {"form": RegistrationForm(), "error": link.error, **_offer()}
        return render(request, self.template, context)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Go one of the two ways; of two who try at once one does."""
        setup.find_setup_link(token)
        if "samples" in request.POST:
            setup.start_filling(token)
            Thread(target=_fill, args=(token,), name="sample data", daemon=True).start()
            return HttpResponseRedirect(f"{request.path}?wait=1")
        form = RegistrationForm(request.POST)
        if not form.is_valid():
            return refused(request, self.template, form, context=_offer())
        try:
            user = setup.make_first_admin(token, **form.cleaned_data)
        except NotFound:
            raise
        except DomainError as error:
            return refused(request, self.template, form, error, context=_offer())
        return welcome(request, user)


def _offer() -> dict[str, Any]:
    return {"has_samples": setup.has_samples()}


def _fill(token: str) -> None:
    """A thread has database connections of its own, which it closes."""
    try:
        setup.fill(token)
    finally:
        connections.close_all()
