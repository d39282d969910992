"""Times as a reader sees them: relative words, the exact time in their zone behind them."""

import zoneinfo
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tracker import clock

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_RELATIVE_DAYS: Final = 14


class Moments:
    """Formats times for one reader, all against the same now."""

    def __init__(self, user: Any) -> None:
        self.zone = _zone(getattr(user, "time_zone", "UTC"))
        self.now = clock.now()

    def time(self, moment: datetime | str | None) -> SafeString | str:
        """Return a `<time>` element; an empty text for None. A text is one in the API's form."""
        if moment is None:
            return ""
        if isinstance(moment, str):
            text, moment = moment, datetime.fromisoformat(moment)
        else:
            text = str(clock.iso(moment))
        local = moment.astimezone(self.zone)
        relative = escape(self._relative(moment, local))
        # Fifty a page: numbers and a zone need no escaping, and Django's formats cost ten times as much.
        html = f'<time datetime="{text}" title="{local:%Y-%m-%d %H:%M %Z}">{relative}</time>'
        return mark_safe(html)  # noqa: S308

    def day(self, day: date | str | None) -> SafeString | str:
        """Return the `<time>` of a calendar day."""
        if day is None:
            return ""
        if isinstance(day, str):
            day = date.fromisoformat(day)
        return format_html('<time datetime="{}">{}</time>', day.isoformat(), date_format(day, "DATE_FORMAT"))

    def is_past(self, day: date | str | None) -> bool:
        """Whether the day is over for this reader."""
        if isinstance(day, str):
            day = date.fromisoformat(day)
        return day is not None and day < self.now.astimezone(self.zone).date()

    def _relative(self, moment: datetime, local: datetime) -> str:
        seconds = int((self.now - moment) / timedelta(seconds=1))
        if 0 <= seconds < _MINUTE:
            return _("just now")
        if 0 <= seconds < _HOUR:
            return ngettext("%(n)d minute ago", "%(n)d minutes ago", seconds // _MINUTE) % {
                "n": seconds // _MINUTE
            }
        if 0 <= seconds < _DAY:
            return ngettext("%(n)d hour ago", "%(n)d hours ago", seconds // _HOUR) % {"n": seconds // _HOUR}
        if 0 <= seconds < _RELATIVE_DAYS * _DAY:
            return ngettext("%(n)d day ago", "%(n)d days ago", seconds // _DAY) % {"n": seconds // _DAY}
        same_year = local.year == self.now.astimezone(self.zone).year
        return date_format(local, "j M" if same_year else "j M Y")


def _zone(name: str) -> tzinfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return UTC
