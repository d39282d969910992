"""Where the live updates of a page come from."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def live_url() -> str:
    """Return the address of the sockets where it is another than the page's, else an empty text."""
    return str(settings.LIVE_URL or "")
