"""What is logged in the process of the tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.testing import capture_logs


@contextmanager
def logged() -> Iterator[list[Any]]:
    """The lines of every level that are logged meanwhile, whatever a command that ran here before has set up."""
    set_up, root = structlog.get_config(), logging.getLogger()
    handlers, root.handlers[:] = root.handlers[:], []
    structlog.reset_defaults()
    try:
        with capture_logs() as lines:
            yield lines
    finally:
        structlog.configure(**set_up)
        root.handlers[:] = handlers
