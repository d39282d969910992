"""Gives the role groups the permissions that an app declares, each once and never again:
what an admin takes away by hand stays away."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import Group, Permission

from accounts.models import Role, RoleDefault


def grant_defaults(permissions: Mapping[str, Sequence[str]], *, app_label: str) -> None:
    """Make the four groups; give each role the codenames of `permissions[role]` that it was never given."""
    for role in Role.values:
        group, _ = Group.objects.get_or_create(name=role)
        wanted = {f"{app_label}.{codename}" for codename in permissions.get(role, ())}
        given = set(
            RoleDefault.objects.filter(role=role, permission__in=wanted).values_list("permission", flat=True)
        )
        fresh = wanted - given
        if not fresh:
            continue
        rows = Permission.objects.filter(
            content_type__app_label=app_label, codename__in=[name.split(".", 1)[1] for name in fresh]
        )
        group.permissions.add(*rows)
        RoleDefault.objects.bulk_create(
            [RoleDefault(role=role, permission=f"{app_label}.{row.codename}") for row in rows],
            ignore_conflicts=True,
        )
