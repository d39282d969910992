"""Logs: one line of JSON for each record in production, readable lines elsewhere, no secrets in either.

Everything goes to standard error, since standard output belongs to what a command prints. Who logs does
so by `logging` or by `structlog`; both take the same way through the processors below.
"""

import logging.config
import re
import sys
from functools import lru_cache
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REMOVED: Final = "[removed]"
_SECRET_KEY: Final = re.compile(
    r"passw|token|authorization|cookie|secret|ticket|credential|signature|api_?key|private_?key|session_?(id|key)",
    re.I,
)
# What stands after such a word in running text: in a query string, a header, a representation of a dict.
_SECRET_TEXT: Final = (
    re.compile(
        r"""(?P<keep>[\w-]*(?:password|token|ticket|secret|authorization|sessionid)["']?\s*[=:]\s*["']?)"""
        r"""(?:(?:Bearer|Basic)\s+)?[^\s"'&,;})\]]+""",
        re.I,
    ),
    re.compile(r"(?P<keep>\b(?:Bearer|Basic)\s+)[\w.~+/=-]{8,}", re.I),
    re.compile(r"(?P<keep>\b[a-z][a-z0-9+]*://[^\s:/@]*:)[^\s/@]+(?=@)", re.I),
    re.compile(r"(?P<keep>)\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),
    # The prefixes that secrets of our own begin with; the set-up link has its one in the path.
    re.compile(r"(?P<keep>\b(?:setup|ticket)_)[\w-]{20,}"),
)
# Without one of these no pattern above matches. Nearly all texts have none, and one look is enough for them.
_HINT: Final = re.compile(
    r"password|token|ticket|secret|authorization|sessionid|bearer|basic|://|eyJ|setup_", re.I
)


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is now, not to what it was when logging was set up."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # an attribute there
        """Standard error."""
        return sys.stderr


def configure(config: dict[str, Any]) -> None:
    """Set up logging; Django calls this with `settings.LOGGING` (`level`, `json`)."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": _formatter, "as_json": config["json"]}},
            "handlers": {"stderr": {"()": StandardError, "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": config["level"]},
            "loggers": {
                # Django's own handlers go: its records reach the root.
                "django": {"handlers": [], "level": "INFO", "propagate": True},
                "django.server": {"handlers": [], "propagate": True},
                # The access log has these already, 4xx as well.
                "django.request": {"level": "ERROR"},
                "django.channels.server": {"level": "WARNING"},
                "daphne": {"level": "WARNING"},
                "celery": {"level": "WARNING"},
                "kombu": {"level": "WARNING"},
                "asyncio": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_every_record(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def remove_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace what a log must not hold: values under telling names at any depth, and in running text."""
    return {
        key: value if key.startswith("_") else REMOVED if _is_telling(key) else _clean(value)
        for key, value in event.items()
    }


def clean_text(text: str) -> str:
    """Return `text` with passwords, tokens and tickets replaced."""
    if _HINT.search(text) is None:
        return text
    for pattern in _SECRET_TEXT:
        text = pattern.sub(rf"\g<keep>{REMOVED}", text)
    return text


def path_only(uri: str) -> str:
    """Return a request's path without its query, which may hold a token."""
    return uri.partition("?")[0]


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {key: REMOVED if _is_telling(str(key)) else _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if value is None or isinstance(value, int | float):
        return value
    return clean_text(str(value))


@lru_cache(maxsize=1024)
def _is_telling(key: str) -> bool:
    return bool(_SECRET_KEY.search(key))


def _every_record() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        remove_secrets,
    ]


def _formatter(*, as_json: bool) -> logging.Formatter:
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_every_record(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
