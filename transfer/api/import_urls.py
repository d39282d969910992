"""The routes of imports."""

from django.urls import path

from transfer.api import imports

urlpatterns = [
    path("issues/import/", imports.BeginImportView.as_view()),
    path("imports/<uuid:import_id>/", imports.ImportView.as_view()),
    path("imports/<uuid:import_id>/undo/", imports.UndoImportView.as_view()),
]
