"""The dashboard app."""

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    """The home page, and later the insights."""

    name = "dashboard"
