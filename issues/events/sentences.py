"""Events in words, for timelines, mails and the audit view. The sentence follows the name of who acted."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from issues.events.verbs import FIELDS, ISSUE_UPDATED, VERBS

MAX_TEXT: Final = 120
# A project without a name is one that the reader may not see.
_NOTHING: Final = {"assignee": gettext_lazy("nobody"), "project": gettext_lazy("another project")}


def sentence_of(
    verb: str, changes: Mapping[str, list[Any]], *, status_names: Mapping[str, str] | None = None
) -> str:
    """Return what happened, in the reader's language: “changed the status from Open to Triaged”.

    `status_names`: the names of statuses by slug, where they are at hand. Texts are cut and not escaped.
    """
    known = VERBS.get(verb)
    if known is None:
        return verb
    field = _field_of(verb, changes)
    old, new = (changes.get(field) or [None, None])[:2] if field else (None, None)
    names = status_names or {}
    return str(known.sentence).format(
        field=FIELDS.get(field, field),
        fields=_fields(changes) if verb == ISSUE_UPDATED else "",
        old=_words(field, old, names),
        new=_words(field, new, names),
    )


def _field_of(verb: str, changes: Mapping[str, list[Any]]) -> str:
    if verb == "issue.moved":
        return "project"
    if verb == "user.role_changed":
        return "role"
    if verb.startswith("attachment."):
        return "filename"
    name = verb.removeprefix("issue.").removesuffix("_changed")
    return name if name in changes else ""


def _fields(changes: Mapping[str, list[Any]]) -> str:
    return get_text_list([str(FIELDS.get(name, name)) for name in changes], _("and")) or _("this issue")


def _words(field: str, value: Any, status_names: Mapping[str, str]) -> str:
    if value is None or value in ("", []):
        return str(_NOTHING.get(field) or _("nothing"))
    if isinstance(value, Mapping):
        return _short(str(value.get("name") or value.get("key") or ""))
    if isinstance(value, list):
        return _short(", ".join(str(item) for item in value))
    if field == "status":
        return status_names.get(str(value), str(value).replace("_", " "))
    return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
