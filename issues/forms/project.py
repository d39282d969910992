"""The forms of a project and of what hangs on it."""

from typing import Any, Final
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team, User
from accounts.rights import rights_of
from issues.catalog import ProjectInfo, catalog
from issues.forms.people import active_people, with_present
from issues.models import MilestoneState, Visibility
from issues.services.colors import DEFAULT_COLOR
from issues.services.presets import DEFAULT_PRESET
from tracker.versions import versions_of

PRESET_WORDS: Final = (
    ("kanban", _("Kanban: backlog, to do, in progress, done, canceled; any to any")),
    ("triage", _("Triage: open, triaged, in progress, done")),
    ("service_desk", _("Service desk: open, in progress, blocked, closed")),
)


class ProjectForm(forms.Form):
    """What may be changed of a project; ids become accounts and teams in `values`."""

    name = forms.CharField(label=_("Name"), widget=forms.TextInput(attrs={"maxlength": 100}))
    description = forms.CharField(
        label=_("Description"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Markdown."),
    )
    visibility = forms.ChoiceField(
        label=_("Visibility"),
        choices=Visibility.choices,
        initial=Visibility.INTERNAL,
        help_text=_("Internal: every signed-in person sees it. Private: its teams, its lead and admins."),
    )
    reporters_see_all = forms.BooleanField(
        label=_("Reporters see every issue of this project"),
        required=False,
        help_text=_("Otherwise they see those that they filed, are assigned or watch."),
    )
    lead = forms.ChoiceField(label=_("Lead"), required=False)
    teams = forms.MultipleChoiceField(label=_("Teams"), required=False, widget=forms.CheckboxSelectMultiple)
    time_zone = forms.CharField(
        label=_("Time zone"), initial="UTC", widget=forms.TextInput(attrs={"list": "zones"})
    )

    def __init__(self, data: Any = None, *, user: User, project: ProjectInfo | None = None) -> None:
        super().__init__(data, initial=_initial(project) if project else None)
        versions = versions_of(user)
        people = active_people(versions)
        if project is not None and project.lead_id is not None:
            people = with_present(people, project.lead_id, str(_("The present lead")))
        self.fields["lead"].choices = [("", _("Nobody")), *people]  # type: ignore[attr-defined]
        teams = _offered_teams(user, project)
        self.fields["teams"].choices = teams  # type: ignore[attr-defined]
        if not teams:
            del self.fields["teams"]

    def values(self) -> dict[str, Any]:
        """Return what was sent in the form in which services take it."""
        sent = dict(self.cleaned_data)
        if "lead" in sent:
            sent["lead"] = User.objects.filter(pk=sent["lead"]).first() if sent["lead"] else None
        if "teams" in sent:
            sent["teams"] = list(Team.objects.filter(pk__in=sent["teams"]))
        return sent


class NewProjectForm(ProjectForm):
    """A project that does not exist yet: also its key and the workflow that it starts from."""

    key = forms.CharField(
        label=_("Key"),
        widget=forms.TextInput(
            attrs={"maxlength": 20, "autocomplete": "off", "autocapitalize": "characters"}
        ),
        help_text=_(
            "2 to 20 letters and digits, a letter first; issues are named by it: KEY-1. It stays for ever."
        ),
    )
    preset = forms.ChoiceField(label=_("Workflow"), choices=PRESET_WORDS, initial=DEFAULT_PRESET)
    field_order = (
        "name",
        "key",
        "description",
        "preset",
        "visibility",
        "reporters_see_all",
        "lead",
        "teams",
        "time_zone",
    )

    def clean_key(self) -> str:
        """Return the key in capital letters, however it was typed."""
        return str(self.cleaned_data["key"]).upper()


class LabelForm(forms.Form):
    """A label."""

    name = forms.CharField(label=_("Name"), widget=forms.TextInput(attrs={"maxlength": 100}))
    color = forms.CharField(
        label=_("Colour"), initial=DEFAULT_COLOR, widget=forms.TextInput(attrs={"type": "color"})
    )
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.TextInput(attrs={"maxlength": 255})
    )

    def values(self) -> dict[str, Any]:
        """Return what was sent."""
        return dict(self.cleaned_data)


class MilestoneForm(forms.Form):
    """A milestone."""

    name = forms.CharField(label=_("Name"), widget=forms.TextInput(attrs={"maxlength": 100}))
    due_date = forms.CharField(
        label=_("Due date"), required=False, widget=forms.TextInput(attrs={"type": "date"})
    )
    state = forms.ChoiceField(label=_("State"), choices=MilestoneState.choices, initial=MilestoneState.OPEN)
    description = forms.CharField(
        label=_("Description"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def values(self) -> dict[str, Any]:
        """Return what was sent, no date as None."""
        return {**self.cleaned_data, "due_date": self.cleaned_data["due_date"] or None}


def time_zones() -> list[str]:
    """Return the names of the time zones, for the completion of the field."""
    return sorted(name for name in available_timezones() if "/" in name or name == "UTC")


def _initial(project: ProjectInfo) -> dict[str, Any]:
    return {
        "name": project.name,
        "description": project.description,
        "visibility": project.visibility,
        "reporters_see_all": project.reporters_see_all,
        "lead": str(project.lead_id or ""),
        "teams": [str(team_id) for team_id in project.team_ids],
        "time_zone": project.time_zone,
    }


def _offered_teams(user: User, project: ProjectInfo | None) -> list[tuple[str, str]]:
    """Return the teams that this person may add, and those that are there."""
    rights, teams = rights_of(user), catalog(versions_of(user)).teams
    present = project.team_ids if project else frozenset()
    offered = (
        teams.keys()
        if rights.may("accounts.manage_teams")
        else (rights.led_team_ids | present) & teams.keys()
    )
    return sorted(((str(key), teams[key].name) for key in offered), key=lambda pair: pair[1].casefold())
