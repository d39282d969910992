"""Pages of one's own settings."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.forms.settings import AvatarForm, PasswordForm, ProfileForm
from accounts.models import User
from accounts.services.avatars import edit_account
from accounts.services.passwords import change_own_password
from accounts.services.users import edit_user
from accounts.views.browsers import refused, speak_language_of
from tracker.caller import Caller
from tracker.errors import DomainError, Invalid, Unavailable
from tracker.web.address import client_network
from tracker.web.uploads import takes_files


class ProfileView(LoginRequiredMixin, View):
    """`/settings/profile/`."""

    template = "accounts/profile.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show one's name, time zone and language."""
        user = _person(request)
        values = {"name": user.name, "time_zone": user.time_zone, "language": user.language}
        return render(request, self.template, {"form": ProfileForm(initial=values)})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Change them."""
        form = ProfileForm(request.POST)
        if not form.is_valid():
            return refused(request, self.template, form)
        try:
            user = edit_user(_person(request).pk, by=_caller(request), changes=form.cleaned_data)
        except DomainError as error:
            return refused(request, self.template, form, error)
        messages.success(request, _("Your profile is saved."))
        return speak_language_of(user, redirect("profile"))


@takes_files
@require_http_methods(["GET", "HEAD", "POST"])
def avatar(request: HttpRequest) -> HttpResponse:
    """`/settings/avatar/`: show one's picture, take a new one, or take the present one away."""
    template = "accounts/avatar.html"
    if request.method != "POST":
        return render(request, template, {"form": AvatarForm()})
    form, upload = AvatarForm(request.POST, request.FILES), request.FILES.get("avatar")
    removes = "remove" in request.POST
    if not removes and upload is None:
        form.add_error("avatar", _("Choose a picture first."))
        return refused(request, template, form)
    try:
        picture = None if removes else upload
        edit_account(_person(request).pk, by=_caller(request), changes={"avatar": picture})
    except (Invalid, Unavailable) as error:
        return refused(request, template, form, error)
    messages.success(request, _("Your picture is removed.") if removes else _("Your picture is saved."))
    return redirect("avatar")


@method_decorator((never_cache, sensitive_post_parameters()), name="dispatch")
class PasswordView(LoginRequiredMixin, View):
    """`/settings/password/`."""

    template = "accounts/password.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        return render(request, self.template, {"form": PasswordForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        """Change the password; every sign-in is over, this one too."""
        form = PasswordForm(request.POST)
        if not form.is_valid():
            return refused(request, self.template, form)
        old, new = form.cleaned_data["old"], form.cleaned_data["new"]
        try:
            change_own_password(by=_caller(request), old=old, new=new, address=client_network(request))
        except DomainError as error:
            return refused(request, self.template, form, error)
        logout(request)
        messages.success(request, _("Your password is changed. Sign in with the new one."))
        return HttpResponseRedirect(str(settings.LOGIN_URL))


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)


def _caller(request: HttpRequest) -> Caller:
    return Caller(user=_person(request), source="web", request_id=getattr(request, "request_id", ""))
