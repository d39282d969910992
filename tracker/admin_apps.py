"""Puts the product's own site in the place of Django's admin."""

from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    """The admin app with our site."""

    default_site = "tracker.admin_site.AdminSite"
