"""The form of a comment."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from issues.refs import parse_uuid


class CommentForm(forms.Form):
    """What is written, whether it is internal, and which comment it answers."""

    body = forms.CharField(
        label=_("Comment"), strip=False, widget=forms.Textarea(attrs={"rows": 5}), help_text=_("Markdown.")
    )
    internal = forms.BooleanField(required=False, label=_("Internal: hidden from reporters"))
    parent = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: Any = None, *, may_be_internal: bool, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial, auto_id="comment_%s")
        if not may_be_internal:
            del self.fields["internal"]

    def clean_parent(self) -> uuid.UUID | None:
        """Return the id of the comment that is answered."""
        text = self.cleaned_data["parent"]
        parent = parse_uuid(text) if text else None
        if text and parent is None:
            raise forms.ValidationError(_("There is no such comment on this issue."))
        return parent
