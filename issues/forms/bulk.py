"""The form that changes many issues: what is left empty stays as it is."""

from collections.abc import Collection
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from issues import policy
from issues.catalog import catalog
from issues.forms.issue import field_label, project_choices
from issues.forms.people import active_people, assignable_people
from issues.models import IssueType, Priority, Severity
from issues.scope import scope_of
from tracker.versions import versions_of

Choices = list[tuple[str, str]]

NOTHING: Final = "-"
"""What takes a value away; the empty choice leaves it."""


class BulkForm(forms.Form):
    """Fields that issues of these projects have in common, and a comment."""

    comment = forms.CharField(
        label=_("Comment on each"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data: Any = None, *, user: User, project_keys: Collection[str]) -> None:
        super().__init__(data)
        choices = _choices(user, project_keys)
        for name, found in choices.items():
            label = _("Move to project") if name == "project" else field_label(name)
            field = forms.ChoiceField(
                label=label, required=False, choices=[("", _("Leave as it is")), *found]
            )
            self.fields[name] = field
        self.order_fields([*choices, "comment"])

    def changes(self) -> dict[str, Any]:
        """Return what was chosen, in the form in which services take it."""
        return {
            name: None if value == NOTHING else value
            for name, value in self.cleaned_data.items()
            if name != "comment" and value
        }


def _choices(user: User, project_keys: Collection[str]) -> dict[str, Choices]:
    versions, scope = versions_of(user), scope_of(user)
    known = catalog(versions)
    projects = [project for key in project_keys if (project := known.project_by_key(key)) is not None]
    only = projects[0] if len(projects) == 1 else None
    statuses = {status.slug: status.name for project in projects for status in known.statuses_of(project.id)}
    people = assignable_people(only, versions=versions) if only else active_people(versions)
    found: dict[str, Choices] = {
        "status": list(statuses.items()),
        "priority": [(item.word, str(item.label)) for item in reversed(Priority)],
        "severity": [(item.word, str(item.label)) for item in reversed(Severity)],
        "type": [(item.value, str(item.label)) for item in IssueType],
        "assignee": [(NOTHING, _("Nobody")), *people],  # type: ignore[list-item]  # lazy text
    }
    if only is not None:
        milestones = (info for info in known.milestones.values() if info.project_id == only.id)
        named = sorted(((str(info.id), info.name) for info in milestones), key=lambda pair: pair[1])
        found["milestone"] = [(NOTHING, _("No milestone")), *named]  # type: ignore[list-item]  # as above
    if policy.can_move(scope):
        found["project"] = project_choices(user)
    return found
