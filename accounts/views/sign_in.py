"""Pages of who is not signed in: sign in, sign out, register."""

from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.forms.sign_in import RegistrationForm, SignInForm
from accounts.services.registration import is_open, register, require_open
from accounts.services.sessions import sign_in
from accounts.views.browsers import refused, safe_target, welcome
from tracker.errors import DomainError
from tracker.web.address import client_network

_PRIVATE = (never_cache, sensitive_post_parameters("password"))


@method_decorator(_PRIVATE, name="dispatch")
class SignInView(View):
    """`/accounts/login/`."""

    template = "accounts/login.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form; who is signed in goes on."""
        to = request.GET.get("next", "")
        if request.user.is_authenticated:
            return HttpResponseRedirect(safe_target(request, to))
        return render(request, self.template, {"form": SignInForm(initial={"next": to}), **_offer()})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Sign in, by the service and under the limits that the API has."""
        form = SignInForm(request.POST)
        if not form.is_valid():
            return refused(request, self.template, form, context=_offer())
        values: dict[str, Any] = form.cleaned_data
        try:
            user = sign_in(values["email"], values["password"], address=client_network(request))
        except DomainError as error:
            return refused(request, self.template, form, error, context=_offer())
        return welcome(request, user, to=values["next"])


@method_decorator(_PRIVATE, name="dispatch")
class RegisterView(View):
    """`/accounts/register/`."""

    template = "accounts/register.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form, where registration is open."""
        require_open()
        return render(request, self.template, {"form": RegistrationForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Make the account and sign in."""
        require_open()
        form = RegistrationForm(request.POST)
        if not form.is_valid():
            return refused(request, self.template, form)
        try:
            user = register(
                **form.cleaned_data,
                address=client_network(request),
                source="web",
                request_id=getattr(request, "request_id", ""),
            )
        except DomainError as error:
            return refused(request, self.template, form, error)
        return welcome(request, user)


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return HttpResponseRedirect(str(settings.LOGOUT_REDIRECT_URL))


def _offer() -> dict[str, Any]:
    return {"is_open": is_open()}
