"""The routes of imports and exports."""

from django.urls import path

from transfer.api import exports, imports

urlpatterns = [
    path("issues/export/", exports.ExportView.as_view()),
    path("issues/import/", imports.BeginImportView.as_view()),
    path("imports/<uuid:import_id>/", imports.ImportView.as_view()),
    path("imports/<uuid:import_id>/undo/", imports.UndoImportView.as_view()),
]
