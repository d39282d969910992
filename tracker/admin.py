"""The schedules of beat, which stay editable; their pages are open to admins and run under the CSP."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

PERMISSION = "accounts.manage_users"


class ForAdmins:
    """Opens pages of another package, whose own permissions no role holds."""

    def _may(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the app is listed."""
        return self._may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows are shown."""
        return self._may(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be made."""
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be changed."""
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be deleted."""
        return self._may(request)


class PeriodicTaskAdmin(ForAdmins, beat.PeriodicTaskAdmin):
    """Without the page's inline script, and without starting tasks in the request."""

    change_form_template = None
    actions = ("enable_tasks", "disable_tasks")


class TasksInline(ForAdmins, beat.PeriodicTaskInline):
    """The tasks of a schedule, to be read."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: a task has a page of its own."""
        return False


class ScheduleAdmin(ForAdmins, admin.ModelAdmin):  # type: ignore[type-arg]
    """When something is done."""

    inlines: ClassVar = [TasksInline]


class CrontabScheduleAdmin(ForAdmins, beat.CrontabScheduleAdmin):
    """The same, as cron writes it."""

    inlines: ClassVar = [TasksInline]


admin.site.unregister([ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule])
admin.site.register(PeriodicTask, PeriodicTaskAdmin)
admin.site.register(CrontabSchedule, CrontabScheduleAdmin)
admin.site.register([ClockedSchedule, IntervalSchedule], ScheduleAdmin)
