"""Forms of one's own settings."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.forms.sign_in import password_field
from accounts.services.fields import MAX_NAME, time_zones
from tracker.files.kinds import INLINE


def _zones() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in sorted(time_zones())]


class ProfileForm(forms.Form):
    """What a person may change of their own account."""

    name = forms.CharField(
        label=_("Name"), max_length=MAX_NAME, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    time_zone = forms.ChoiceField(label=_("Time zone"), choices=_zones)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


class AvatarForm(forms.Form):
    """A new picture, or none."""

    avatar = forms.FileField(
        label=_("New picture"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ",".join(sorted(INLINE))}),
        help_text=_("PNG, JPEG, GIF or WebP. The square in its middle is kept, at most 256 pixels wide."),
    )


class PasswordForm(forms.Form):
    """The old password and twice the new one."""

    old = password_field(_("Present password"), autocomplete="current-password")
    new = password_field(_("New password"), hint=_("At least 8 characters, and not a common one."))
    again = password_field(_("New password again"))

    def clean_again(self) -> str:
        """Refuse two that differ."""
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("new", again):
            raise forms.ValidationError(_("The two new passwords differ."))
        return again
