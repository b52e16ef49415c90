"""Logging: structlog, one line an event, secrets redacted, request and job ids bound by whoever has them.

Structlog is loaded with the first line that is logged: most commands log none, and it takes a tenth of their time.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from streamhost.late import late

if TYPE_CHECKING:
    import structlog
else:
    # With rich it would draw errors; ours are told plainly, and a process spares 4 MB.
    structlog = late("structlog", without="rich")

_SECRET_KEYS = re.compile(r"password|secret|token|grant|cookie|authorization|otp|key$", re.IGNORECASE)
_IN_PATH = re.compile(r"(/s/|/o/grant/\w+/)[^/\s?]+(?=/)|(/o/)[0-9a-f]{8,11}-[\w-]{22}(?=/)")
"""Grants, wherever they are asked about, and tickets: who reads them may play."""
_QUERY_SECRET = re.compile(r"((?:token|key|secret|password|code|link|md5|signature)=)[^&\s\"']+", re.IGNORECASE)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that keeps secrets from the output: by field name, by grant path, by query parameter."""
    for key, value in event.items():
        if key != "event" and _SECRET_KEYS.search(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = _QUERY_SECRET.sub(r"\1[redacted]", _IN_PATH.sub(r"\1\2[grant]", value))
    return event


def configure(level: str = "info", format: str = "auto") -> None:
    """Set up logging for this process: to stderr, for people on a terminal, as JSON lines otherwise.

    Call once, from a door. `format` is `auto`, `console` or `json`.
    """
    as_json = format == "json" or (format == "auto" and not sys.stderr.isatty())
    number = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [_WaitingHandler(lambda: _set_up(number, as_json))]
    root.setLevel(max(number, logging.INFO))


def _set_up(number: int, as_json: bool) -> None:
    # The plain form: the usual one prints the variables of every function on the way, passwords among them.
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer: Any = structlog.processors.JSONRenderer() if as_json else console
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    tail: list[Any] = [structlog.processors.format_exc_info, redact] if as_json else [redact]
    structlog.configure(
        processors=[*shared, *tail, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_drop_meta, *tail, renderer])
    )
    logging.getLogger().handlers[:] = [handler]


class _WaitingHandler(logging.Handler):
    """Stands where the real handler will be, and sets everything up when the first line is logged."""

    def __init__(self, set_up: Callable[[], None]) -> None:
        super().__init__()
        self.set_up = set_up

    def emit(self, record: logging.LogRecord) -> None:
        """Have a record of the standard library's loggers written as it is to be."""
        self.set_up()
        for handler in logging.getLogger().handlers:
            handler.handle(record)


def _drop_meta(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(_logger, _method, event)


class _RoomLogger:
    """Structlog's logger of one room, made when it is first used: what was configured until then counts."""

    def __init__(self, room: str) -> None:
        self._room = room
        self._real: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._real is None:
            for handler in logging.getLogger().handlers:
                if isinstance(handler, _WaitingHandler):
                    handler.set_up()
            self._real = structlog.get_logger(room=self._room)
        return getattr(self._real, name)


def get(name: str) -> Any:
    """A logger with the name of its room bound."""
    return _RoomLogger(name)


def bind(**facts: object) -> None:
    """Have all lines of this task, and of the tasks that it starts from now on, carry these facts."""
    structlog.contextvars.bind_contextvars(**facts)
