"""Forms of who is not signed in."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.services.fields import MAX_EMAIL, MAX_NAME, MAX_PASSWORD


def _email() -> forms.CharField:
    widget = forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True})
    return forms.CharField(label=_("E-mail"), max_length=MAX_EMAIL, widget=widget)


def password_field(label: Any, *, autocomplete: str = "new-password", hint: Any = "") -> forms.CharField:
    """Return a field for a password, which is taken as it is typed."""
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=MAX_PASSWORD, strip=False, widget=widget, help_text=hint)


class SignInForm(forms.Form):
    """Address and password; `next` is where to go then."""

    email = _email()
    password = password_field(_("Password"), autocomplete="current-password")
    next = forms.CharField(required=False, widget=forms.HiddenInput)


class RegistrationForm(forms.Form):
    """A new account."""

    email = _email()
    name = forms.CharField(
        label=_("Name"), max_length=MAX_NAME, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = password_field(_("Password"), hint=_("At least 8 characters, and not a common one."))
