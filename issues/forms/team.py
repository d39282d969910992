"""Forms of teams and their members."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import TeamRole, User
from issues.catalog import catalog
from issues.forms.people import active_people
from issues.policy import can_manage_project
from issues.scope import scope_of
from tracker.versions import versions_of


class TeamForm(forms.Form):
    """A team, and its projects as far as the person manages them."""

    name = forms.CharField(label=_("Name"), widget=forms.TextInput(attrs={"maxlength": 100}))
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    projects = forms.MultipleChoiceField(
        label=_("Projects"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, user: User, initial: Any = None) -> None:
        super().__init__(data, initial=initial)
        scope, known = scope_of(user), catalog(versions_of(user))
        held = set((initial or {}).get("projects", ()))
        shown = [
            project
            for key in scope.project_ids
            if (project := known.projects.get(key)) is not None
            and (can_manage_project(scope, key) or project.key in held)
            and (project.archived_at is None or project.key in held)
        ]
        shown.sort(key=lambda project: project.name.casefold())
        self.fields["projects"].choices = [  # type: ignore[attr-defined]
            (project.key, f"{project.name} ({project.key})") for project in shown
        ]

    def values(self) -> dict[str, Any]:
        """Return what was sent."""
        return dict(self.cleaned_data)


class MemberForm(forms.Form):
    """Who joins a team, and as what."""

    user = forms.ChoiceField(label=_("Person"))
    role = forms.ChoiceField(label=_("As"), choices=TeamRole.choices, initial=TeamRole.MEMBER)

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.fields["user"].choices = active_people(versions_of(user))  # type: ignore[attr-defined]
