"""The routes of exports."""

from django.urls import path

from transfer.api import exports

urlpatterns = [
    path("issues/export/", exports.ExportView.as_view()),
]
