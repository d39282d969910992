"""The base of admin pages that write through services, and never themselves.

A subclass says which permission opens its pages, and what `create`, `edit` and `delete` call. A refusal of
a service shows in the form; nothing of it is stored.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from tracker.caller import Caller
from tracker.errors import DomainError


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A form that shows what a service refused when it was sent the first time."""

    refusal: ClassVar[DomainError | None] = None

    def clean(self) -> dict[str, Any] | None:
        """Add the refusal to the fields that it names, or to the form."""
        cleaned = super().clean()
        if self.refusal is not None:
            fields: Mapping[str, list[str]] = self.refusal.details.get("fields", {})
            for name, texts in fields.items():
                if name in self.fields:
                    self.add_error(name, texts)
            if not any(name in self.fields for name in fields):
                self.add_error(None, self.refusal.message)
        return cleaned


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Pages that only show, to who holds `permission`."""

    permission: ClassVar[str]
    view_on_site = False
    actions: Any = None

    def may(self, request: HttpRequest) -> bool:
        """Whether these pages are open to who asks."""
        return request.user.has_perm(self.permission)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the app is listed."""
        return self.may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows are shown."""
        return self.may(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class ServiceAdmin(ReadOnlyAdmin):
    """Pages that write by the functions of a services module."""

    form: Any = ServiceForm
    actions: Any = ()
    can_add: ClassVar[bool] = True
    can_delete: ClassVar[bool] = False

    def create(self, *, by: Caller, values: Mapping[str, Any]) -> Model:
        """Call the service that makes a row; return it."""
        raise NotImplementedError

    def edit(self, row: Any, *, by: Caller, changes: Mapping[str, Any]) -> None:
        """Call the service that changes a row. `changes`: the fields of the form that differ."""
        raise NotImplementedError

    def delete(self, row: Any, *, by: Caller) -> None:
        """Call the service that deletes a row."""
        raise NotImplementedError

    def caller(self, request: HttpRequest) -> Caller:
        """Return who asks, as services want it."""
        user: Any = request.user
        return Caller(user=user, source="admin", request_id=getattr(request, "request_id", ""))

    # --- rights --------------------------------------------------------------------------------------
    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether rows may be made."""
        return self.can_add and self.may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be changed."""
        return self.may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether rows may be deleted."""
        return self.can_delete and self.may(request)

    # --- writing -------------------------------------------------------------------------------------
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:  # noqa: FBT001  Django's
        """Call the service instead of `obj.save()`."""
        by = self.caller(request)
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            if changes:
                self.edit(obj, by=by, changes=changes)
        else:
            obj.pk = self.create(by=by, values=form.cleaned_data).pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001  Django's
        """Save inlines by `save_formset`; what is many-to-many has been saved by the service."""
        for formset in formsets:
            self.save_formset(request, form, formset, change=change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:  # noqa: FBT001  Django's
        """Refuse, until a subclass calls services for its inlines."""
        raise NotImplementedError

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Call the service instead of `obj.delete()`."""
        self.delete(obj, by=self.caller(request))

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Call the service for each row; all go, or none."""
        for obj in queryset:
            self.delete(obj, by=self.caller(request))

    # --- refusals ------------------------------------------------------------------------------------
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  Django's
        """Return the form; with the refusal where this request is answered a second time."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"refusal": getattr(request, "service_refusal", None)})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Answer; where a service refuses, once more, with the refusal in the form."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refusal:
            if getattr(request, "service_refusal", None) is not None:
                raise
            request.service_refusal = refusal  # type: ignore[attr-defined]  # read by get_form
            return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Answer; a refusal is a message on the page of the row."""
        return self._or_back(
            request, lambda: super(ServiceAdmin, self).delete_view(request, object_id, extra_context)
        )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Answer; a refusal of an action is a message above the list."""
        return self._or_back(
            request, lambda: super(ServiceAdmin, self).changelist_view(request, extra_context)
        )

    def _or_back(self, request: HttpRequest, answer: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                response: HttpResponse = answer()
        except DomainError as refusal:
            if request.method != "POST":
                raise
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return response
