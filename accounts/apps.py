"""The accounts app."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    """People, teams, sign-in."""

    name = "accounts"

    def ready(self) -> None:
        """Say whose pictures are kept; give the roles their first permissions after each migration."""
        from accounts.services import avatars  # models are ready only now
        from tracker.files.cleaning import keeps

        keeps(avatars.FOLDER, avatars.referenced, rows=avatars.kept_keys)
        post_migrate.connect(_grant, sender=self, dispatch_uid="accounts.defaults")


def _grant(**_: Any) -> None:
    from accounts.policy import ROLE_PERMISSIONS  # models are ready only now
    from accounts.role_defaults import grant_defaults

    grant_defaults(ROLE_PERMISSIONS, app_label="accounts")
