"""Time for tests."""

from __future__ import annotations


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """What the clock shows."""
        return self.now

    def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds
