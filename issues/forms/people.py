"""Whom an issue can be given to, and who can lead a project: active people who see it."""

import uuid
from typing import Final

from django.contrib.auth.models import Group
from django.db.models import Q

from accounts.models import User
from issues.catalog import ProjectInfo
from tracker.versions import Versions

Choice = tuple[str, str]

MOST: Final = 1_000
_known: tuple[int, list[Choice]] | None = None


def active_people(versions: Versions) -> list[Choice]:
    """Return (id, name) of the active accounts by name, at most `MOST`; no query where they are in memory."""
    global _known
    held = _known
    if held is None or held[0] != versions.people:
        held = _known = (versions.people, _choices(Q()))
    return held[1]


def assignable_people(project: ProjectInfo, *, versions: Versions) -> list[Choice]:
    """Return (id, name) of who sees the project."""
    if not project.is_private:
        return active_people(versions)
    sees_all = Group.objects.filter(permissions__codename="see_private_projects").values_list(
        "name", flat=True
    )
    member = Q(team_memberships__team__in=project.team_ids)
    return _choices(member | Q(pk=project.lead_id) | Q(role__in=list(sees_all)))


def with_present(choices: list[Choice], key: str | uuid.UUID | None, name: str) -> list[Choice]:
    """Return the choices, with the one that is set now where it is not among them."""
    if not key or any(value == str(key) for value, _ in choices):
        return choices
    return [(str(key), name), *choices]


def _choices(condition: Q) -> list[Choice]:
    rows = User.objects.active().filter(condition).order_by("name", "pk").distinct()
    return [(str(key), name) for key, name in rows.values_list("pk", "name")[:MOST]]
