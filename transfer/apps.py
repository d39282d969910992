"""The transfer app."""

from django.apps import AppConfig


class TransferConfig(AppConfig):
    """Imports and exports."""

    name = "transfer"

    def ready(self) -> None:
        """Register what workers do, and which files are waited for."""
        from transfer import references, work  # noqa: F401  models are ready only now
