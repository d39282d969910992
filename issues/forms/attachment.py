"""The forms of attachments."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class AttachmentForm(forms.Form):
    """A file."""

    file = forms.FileField(label=_("File"), allow_empty_file=True)

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, auto_id="attachment_%s")
        self.fields["file"].help_text = _("At most %(limit)s MiB.") % {"limit": settings.MAX_UPLOAD_MIB}


class RenameForm(forms.Form):
    """The name of a file."""

    filename = forms.CharField(label=_("Name"), max_length=255)
