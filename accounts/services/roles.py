"""Roles: the group that mirrors a person's role, and what each role may do."""

from collections.abc import Collection, Iterable

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from accounts import policy
from accounts.models import Role, User
from accounts.services.fields import clean_role
from tracker.caller import Caller
from tracker.errors import Conflict, Invalid
from tracker.events.record import record
from tracker.versions import RIGHTS, bump

ADMINS_KEEP = "accounts.manage_users"


@transaction.atomic
def set_role_permissions(role: str, *, by: Caller, permissions: Collection[str]) -> None:
    """Give a role exactly these permissions (`app.codename`). Locks the role's group.

    Admins keep the right to manage users, or nobody could give it back. Raises `NotAllowed`, `Invalid`,
    `Conflict`.
    """
    policy.require(allowed=policy.can_manage_users(by.user), message="You may not change roles.")
    role = clean_role(role)
    rows = _named(permissions)
    if role == Role.ADMIN and ADMINS_KEEP not in rows:
        raise Conflict("Admins keep the right to manage users.")
    Group.objects.get_or_create(name=role)
    group = Group.objects.select_for_update(no_key=True).get(name=role)
    before = sorted(_names(group.permissions.select_related("content_type")))
    after = sorted(rows)
    if before == after:
        return
    group.permissions.set(rows.values())
    bump(RIGHTS, by=by)
    record(
        by=by, verb="role.permissions_changed", changes={"permissions": [before, after]}, data={"role": role}
    )


def mirror_roles(users: Iterable[User]) -> None:
    """Put each account into the group of its role and out of the groups of other roles.

    Part of the transaction that makes accounts or changes their role.
    """
    membership = User.groups.through
    groups = {role: Group.objects.get_or_create(name=role)[0].pk for role in {user.role for user in users}}
    wanted = {user.pk: groups[user.role] for user in users}
    role_groups = Group.objects.filter(name__in=Role.values)
    membership.objects.filter(user__in=wanted, group__in=role_groups).delete()
    membership.objects.bulk_create(
        [membership(user_id=user_id, group_id=group_id) for user_id, group_id in wanted.items()],
        batch_size=500,
    )


def role_permissions(role: str) -> frozenset[str]:
    """Return what a role may do, as `app.codename`."""
    return frozenset(_names(Permission.objects.filter(group__name=role).select_related("content_type")))


def _named(permissions: Collection[str]) -> dict[str, Permission]:
    codenames = {name.partition(".")[2] for name in permissions}
    rows = Permission.objects.filter(codename__in=codenames).select_related("content_type")
    known = {f"{row.content_type.app_label}.{row.codename}": row for row in rows}
    unknown = sorted(set(permissions) - known.keys())
    if unknown:
        raise Invalid(fields={"permissions": [f"There is no permission {name}." for name in unknown]})
    return {name: known[name] for name in permissions}


def _names(rows: Iterable[Permission]) -> Iterable[str]:
    return (f"{row.content_type.app_label}.{row.codename}" for row in rows)
