"""How long the contract suites let something wait for a server's answer."""

from __future__ import annotations

import pytest

ENDLESS = frozenset({"silent", "dripping", "hang", "drip"})
"""Faults of servers that only somebody's patience ends, as the suites name them."""


def patience(request: pytest.FixtureRequest, little: float) -> float:
    """Seconds to wait for an answer: `little` where the fault of the test is that none ever comes to its end, else so
    many that no busy machine is taken for a fault."""
    parameters = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    endless = any(isinstance(value, str) and value in ENDLESS for value in parameters.values())
    return little if endless else 60.0
