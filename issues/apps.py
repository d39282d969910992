"""The issues app."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IssuesConfig(AppConfig):
    """The domain: projects, workflows, issues, comments."""

    name = "issues"

    def ready(self) -> None:
        """Register the jobs, and give the roles their first permissions after each migration."""
        from issues import jobs  # noqa: F401  models are ready only now

        post_migrate.connect(_grant, sender=self, dispatch_uid="issues.defaults")


def _grant(**_: Any) -> None:
    from accounts.role_defaults import grant_defaults  # models are ready only now
    from issues.policy import ROLE_PERMISSIONS

    grant_defaults(ROLE_PERMISSIONS, app_label="issues")
