"""The admin pages of people, roles and teams. Everything is written by `accounts.services`."""

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import Role, Team, TeamMembership, User
from accounts.services.passwords import set_password
from accounts.services.roles import role_permissions, set_role_permissions
from accounts.services.teams import (
    add_member,
    change_member,
    create_team,
    delete_team,
    edit_team,
    remove_member,
)
from accounts.services.users import create_user, edit_user
from tracker.admin_base import ServiceAdmin, ServiceForm
from tracker.caller import Caller

admin.site.unregister(Group)


# --- people ------------------------------------------------------------------------------------------
class UserForm(ServiceForm):
    """An account; a password that is filled in replaces the one there is, and ends every sign-in."""

    password = forms.CharField(
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Left empty, the password stays as it is; a new account without one cannot sign in.",
    )
    language = forms.ChoiceField(choices=settings.LANGUAGES)

    class Meta:
        model = User
        fields = ("email", "name", "role", "is_active", "time_zone", "language")


@admin.register(User)
class UserAdmin(ServiceAdmin):
    """Accounts are deactivated, never deleted: what they did keeps their name."""

    permission = "accounts.manage_users"
    form = UserForm
    fields = ("email", "name", "role", "is_active", "time_zone", "language", "password")
    list_display = ("email", "name", "role", "is_active", "is_placeholder", "created_at", "last_login")
    list_filter = ("role", "is_active", "is_placeholder")
    search_fields = ("email", "name")
    ordering = ("email",)
    actions = ("activate", "deactivate")

    def create(self, *, by: Caller, values: Mapping[str, Any]) -> User:
        """Make an account."""
        fields = dict(values)
        return create_user(by=by, **fields | {"password": fields.get("password") or None})

    def edit(self, row: Any, *, by: Caller, changes: Mapping[str, Any]) -> None:
        """Change an account and, where one was typed, its password."""
        fields = {name: value for name, value in changes.items() if name != "password"}
        if fields:
            edit_user(row.pk, by=by, changes=fields)
        if changes.get("password"):
            set_password(row.pk, by=by, new=changes["password"])

    @admin.action(description="Activate the selected accounts")
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let them sign in again."""
        self._set_active(request, queryset, is_active=True)

    @admin.action(description="Deactivate the selected accounts")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """End everything they have open."""
        self._set_active(request, queryset, is_active=False)

    def _set_active(self, request: HttpRequest, queryset: QuerySet[User], *, is_active: bool) -> None:
        for user_id in queryset.values_list("pk", flat=True):
            edit_user(user_id, by=self.caller(request), changes={"is_active": is_active})


# --- roles -------------------------------------------------------------------------------------------
class PermissionsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Permissions by what they allow, and the app they belong to."""

    def label_from_instance(self, obj: Any) -> str:
        """Return the text beside the box."""
        return f"{obj.name} ({obj.content_type.app_label})"


class RoleForm(ServiceForm):
    """What a role may do."""

    permissions = PermissionsField(
        queryset=Permission.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Group
        fields = ("permissions",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(PermissionsField, self.fields["permissions"]).queryset = own_permissions()


@admin.register(Group)
class RoleAdmin(ServiceAdmin):
    """The four roles: none is added or deleted, their permissions are set."""

    permission = "accounts.manage_users"
    form = RoleForm
    fields = ("name", "permissions")
    readonly_fields = ("name",)
    list_display = ("name",)
    can_add = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """Only the groups that are roles."""
        return super().get_queryset(request).filter(name__in=Role.values)

    def edit(self, row: Any, *, by: Caller, changes: Mapping[str, Any]) -> None:
        """Set what the role may do; permissions that are not offered stay as they are."""
        offered = set(_names(own_permissions()))
        kept = role_permissions(row.name) - offered
        set_role_permissions(row.name, by=by, permissions=[*kept, *_names(changes["permissions"])])


def own_permissions() -> QuerySet[Permission]:
    """Return the permissions that the product's models declare by name, which the policy asks for."""
    declared = Q(pk__in=[])
    for model in apps.get_models():
        for codename, _ in model._meta.permissions:
            declared |= Q(content_type__app_label=model._meta.app_label, codename=codename)
    rows = Permission.objects.filter(declared).select_related("content_type")
    return rows.order_by("content_type__app_label", "name")


def _names(rows: QuerySet[Permission]) -> list[str]:
    return [f"{row.content_type.app_label}.{row.codename}" for row in rows.select_related("content_type")]


# --- teams -------------------------------------------------------------------------------------------
class MemberInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who is in a team."""

    model = TeamMembership
    fields = ("user", "role")
    autocomplete_fields = ("user",)
    extra = 1

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As the team."""
        return request.user.has_perm(TeamAdmin.permission)

    has_add_permission = has_view_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


@admin.register(Team)
class TeamAdmin(ServiceAdmin):
    """Teams and their members."""

    permission = "accounts.manage_teams"
    fields = ("name", "description")
    list_display = ("name", "created_at")
    search_fields = ("name",)
    ordering = ("name",)
    inlines: ClassVar = [MemberInline]
    can_delete = True

    def create(self, *, by: Caller, values: Mapping[str, Any]) -> Team:
        """Make a team; who makes it leads it."""
        return create_team(by=by, **values)

    def edit(self, row: Any, *, by: Caller, changes: Mapping[str, Any]) -> None:
        """Change its name or description."""
        edit_team(row.pk, by=by, changes=changes)

    def delete(self, row: Any, *, by: Caller) -> None:
        """Delete it; private projects are no longer seen through it."""
        delete_team(row.pk, by=by)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001  Django's
        """Add, change and remove members by the services."""
        team_id, by = form.instance.pk, self.caller(request)
        formset.new_objects, formset.changed_objects, formset.deleted_objects = (
            [],
            [],
            [],
        )  # for Django's own log
        for row in formset.initial_forms:
            before, after = row.initial["user"], row.instance
            if row in formset.deleted_forms:
                remove_member(team_id, by=by, user_id=before)
                formset.deleted_objects.append(after)
            elif "user" in row.changed_data:
                remove_member(team_id, by=by, user_id=before)
                add_member(team_id, by=by, user_id=after.user_id, role=after.role)
                formset.changed_objects.append((after, row.changed_data))
            elif row.has_changed():
                change_member(team_id, by=by, user_id=after.user_id, role=after.role)
                formset.changed_objects.append((after, row.changed_data))
        for row in formset.extra_forms:
            if row.has_changed() and row not in formset.deleted_forms:
                add_member(team_id, by=by, user_id=row.instance.user_id, role=row.instance.role)
                formset.new_objects.append(row.instance)
