"""Logging: structlog, one line an event, secrets redacted, request and job ids bound by whoever has them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEYS = re.compile(r"password|secret|token|grant|cookie|authorization|otp|key$", re.IGNORECASE)
_GRANT_IN_PATH = re.compile(r"/s/[^/\s?]+/")
_QUERY_SECRET = re.compile(r"((?:token|key|secret|password|code)=)[^&\s\"']+", re.IGNORECASE)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that keeps secrets from the output: by field name, by grant path, by query parameter."""
    for key, value in event.items():
        if key != "event" and _SECRET_KEYS.search(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = _QUERY_SECRET.sub(r"\1[redacted]", _GRANT_IN_PATH.sub("/s/[grant]/", value))
    return event


def configure(level: str = "info", format: str = "auto") -> None:
    """Set up logging for this process: to stderr, for people on a terminal, as JSON lines otherwise.

    Call once, from a door. `format` is `auto`, `console` or `json`.
    """
    as_json = format == "json" or (format == "auto" and not sys.stderr.isatty())
    # The plain form: the usual one prints the variables of every function on the way, passwords among them.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer: Any = structlog.processors.JSONRenderer() if as_json else console
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    tail: list[Any] = [structlog.processors.format_exc_info, redact] if as_json else [redact]
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *tail, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_meta, *tail, renderer])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.INFO))


def _drop_meta(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(_logger, _method, event)


def get(name: str) -> Any:
    """A logger with the name of its room bound."""
    return structlog.get_logger(room=name)
