"""The form of an issue: only the fields that the person may set, in the words of the project.

It reads shapes; what a value means and whether it is allowed is decided by the services.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from issues.catalog import Catalog, NameInfo, ProjectInfo, catalog
from issues.forms.people import assignable_people, with_present
from issues.models import IssueType, Priority, Severity
from issues.rows import Row
from issues.scope import scope_of
from tracker.versions import versions_of

ORDER: Final = (
    "title", "description", "type", "severity", "department", "status", "priority", "assignee", "labels",
    "milestone", "cycle", "parent", "team", "estimate", "due_date",
)  # fmt: skip
TEXTS: Final = frozenset({"title", "description"})
_NULLABLE: Final = frozenset({"assignee", "milestone", "cycle", "parent", "team", "estimate", "due_date"})
_LABELS: Final[Mapping[str, Any]] = {
    "title": _("Title"),
    "description": _("Description"),
    "type": _("Type"),
    "severity": _("Severity"),
    "department": _("Department"),
    "status": _("Status"),
    "priority": _("Priority"),
    "assignee": _("Assignee"),
    "labels": _("Labels"),
    "milestone": _("Milestone"),
    "cycle": _("Cycle"),
    "parent": _("Parent issue"),
    "team": _("Team"),
    "estimate": _("Estimate"),
    "due_date": _("Due date"),
}
_NOTHING: Final[Mapping[str, Any]] = {
    "assignee": _("Nobody"),
    "milestone": _("No milestone"),
    "cycle": _("No cycle"),
    "team": _("No team"),
    "parent": _("No parent"),
    "labels": _("No labels"),
    "estimate": _("No estimate"),
    "due_date": _("No due date"),
    "department": _("No department"),
    "description": _("No description"),
}


class IssueForm(forms.Form):
    """Fields by name; `names` says which."""

    def __init__(
        self,
        data: Any = None,
        *,
        project: ProjectInfo,
        user: User,
        names: Collection[str],
        row: Row | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial={**(inputs_of(row) if row else {}), **(initial or {})})
        maker = _Maker(project, user, row)
        for name in ORDER:
            if name in names:
                self.fields[name] = maker.field(name)

    def changes(self) -> dict[str, Any]:
        """Return the values in the form in which services take them."""
        return {
            name: None if name in _NULLABLE and value == "" else value
            for name, value in self.cleaned_data.items()
        }

    def text_fields(self) -> list[forms.BoundField]:
        """Return title and description, as far as they are shown."""
        return [self[name] for name in self.fields if name in TEXTS]

    def property_fields(self) -> list[forms.BoundField]:
        """Return the rest."""
        return [self[name] for name in self.fields if name not in TEXTS]

    def in_words(self, name: str, value: Any) -> str:
        """Return a value of a field as a person reads it."""
        if isinstance(value, list):
            return ", ".join(value) or str(_NOTHING[name])
        if value == "" and name in _NOTHING:
            return str(_NOTHING[name])
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            return str(dict(field.choices).get(value, value))  # type: ignore[arg-type]
        return str(value)


def field_label(name: str) -> str:
    """Return the name of a field as forms show it."""
    return str(_LABELS.get(name, name))


def input_of(value: Any) -> Any:
    """Return a value of a row or of a change as a form has it: ids and keys as text, empty for nothing."""
    if isinstance(value, dict):
        return value.get("slug") or value.get("key") or value.get("id") or ""
    if isinstance(value, list):
        return sorted(value, key=str.casefold)
    return "" if value is None else str(value)


def inputs_of(row: Row) -> dict[str, Any]:
    """Return an issue's row as the initial values of its form."""
    return {name: input_of(row[name]) for name in ORDER if name in row}


class _Maker:
    """Makes the fields of one project for one person."""

    def __init__(self, project: ProjectInfo, user: User, row: Row | None) -> None:
        self.project, self.user, self.row = project, user, row or {}
        self.catalog: Catalog = catalog(versions_of(user))

    def field(self, name: str) -> forms.Field:
        maker = getattr(self, f"_{name}", None)
        field: forms.Field = maker() if maker else forms.CharField(required=False)
        field.label = _LABELS[name]
        return field

    def _title(self) -> forms.Field:
        return forms.CharField(widget=forms.TextInput(attrs={"maxlength": 255, "autocomplete": "off"}))

    def _description(self) -> forms.Field:
        widget = forms.Textarea(attrs={"rows": 14, "class": "tall"})
        return forms.CharField(required=False, strip=False, widget=widget, help_text=_("Markdown."))

    def _department(self) -> forms.Field:
        return forms.CharField(required=False, widget=forms.TextInput(attrs={"maxlength": 100}))

    def _type(self) -> forms.Field:
        return forms.ChoiceField(choices=IssueType.choices, initial=IssueType.TASK)

    def _severity(self) -> forms.Field:
        choices = [(member.word, member.label) for member in reversed(Severity)]
        return forms.ChoiceField(choices=choices, initial=Severity.MEDIUM.word)

    def _priority(self) -> forms.Field:
        choices = [(member.word, member.label) for member in (Priority.NONE, *reversed(list(Priority)[1:]))]
        return forms.ChoiceField(choices=choices, initial=Priority.NONE.word)

    def _status(self) -> forms.Field:
        choices = [(status.slug, status.name) for status in self.catalog.statuses_of(self.project.id)]
        return forms.ChoiceField(choices=choices, initial=self.catalog.initial_status(self.project.id).slug)

    def _assignee(self) -> forms.Field:
        people = assignable_people(self.project, versions=versions_of(self.user))
        present = self.row.get("assignee") or {}
        return self._choice("assignee", with_present(people, present.get("id"), present.get("name", "")))

    def _labels(self) -> forms.Field:
        names = sorted((info.name for info in self._own(self.catalog.labels)), key=str.casefold)
        return forms.MultipleChoiceField(
            required=False, choices=[(name, name) for name in names], widget=forms.CheckboxSelectMultiple
        )

    def _milestone(self) -> forms.Field:
        return self._choice(
            "milestone", [(str(info.id), info.name) for info in self._own(self.catalog.milestones)]
        )

    def _cycle(self) -> forms.Field:
        return self._choice("cycle", [(str(info.id), info.name) for info in self._own(self.catalog.cycles)])

    def _team(self) -> forms.Field:
        teams = [self.catalog.teams[key] for key in self.project.team_ids if key in self.catalog.teams]
        return self._choice(
            "team", sorted(((str(info.id), info.name) for info in teams), key=lambda pair: pair[1])
        )

    def _parent(self) -> forms.Field:
        widget = forms.TextInput(
            attrs={"placeholder": f"{self.project.key}-1", "maxlength": 40, "autocomplete": "off"}
        )
        return forms.CharField(required=False, widget=widget, help_text=_("The key of an issue."))

    def _estimate(self) -> forms.Field:
        return forms.CharField(
            required=False, widget=forms.TextInput(attrs={"inputmode": "decimal", "maxlength": 12})
        )

    def _due_date(self) -> forms.Field:
        return forms.CharField(required=False, widget=forms.TextInput(attrs={"type": "date"}))

    def _own(self, names: Mapping[Any, NameInfo]) -> list[NameInfo]:
        return [info for info in names.values() if info.project_id == self.project.id]

    def _choice(self, name: str, choices: list[tuple[str, str]]) -> forms.Field:
        return forms.ChoiceField(required=False, choices=[("", _NOTHING[name]), *choices])


class VersionForm(forms.Form):
    """The version that the person saw."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)


class StatusForm(VersionForm):
    """A step of the workflow."""

    to = forms.CharField(max_length=50)
    comment = forms.CharField(required=False, strip=False)


class ProjectChoiceForm(forms.Form):
    """Where a new issue goes."""

    project = forms.ChoiceField(label=_("Project"))

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.fields["project"].choices = project_choices(user)  # type: ignore[attr-defined]


class MoveForm(ProjectChoiceForm):
    """Where an issue moves, and the version that was seen."""

    version = forms.IntegerField(min_value=1, required=False)

    def __init__(self, data: Any = None, *, user: User, project: ProjectInfo) -> None:
        super().__init__(data, user=user)
        others = [choice for choice in project_choices(user) if choice[0] != project.key]
        self.fields["project"].choices = others  # type: ignore[attr-defined]


def project_choices(user: User, *, archived: bool = False) -> list[tuple[str, str]]:
    """Return (key, name) of the visible projects by name; archived ones only where asked for."""
    known, scope = catalog(versions_of(user)), scope_of(user)
    projects = (known.projects[key] for key in scope.project_ids if key in known.projects)
    shown = [project for project in projects if archived or project.archived_at is None]
    return [
        (project.key, f"{project.name} ({project.key})")
        for project in sorted(shown, key=lambda p: p.name.casefold())
    ]
