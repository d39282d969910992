"""The transfer app."""

from django.apps import AppConfig


class TransferConfig(AppConfig):
    """Imports and exports."""

    name = "transfer"
