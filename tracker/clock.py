"""The time as the product stores it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC, cut to milliseconds, as the API writes it."""
    return cut(datetime.now(UTC))


def cut(moment: datetime) -> datetime:
    """Return `moment` in UTC, cut to milliseconds, so that what is read back equals what was stored."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: datetime | None) -> str | None:
    """Return `2026-12-01T09:30:00.123Z`, or None for None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
