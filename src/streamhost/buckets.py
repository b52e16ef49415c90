"""Counting what somebody does too often: token buckets, so many of them and no more."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

from streamhost.model.clock import Clock, Timestamp

REMEMBERED = 20_000
"""Buckets that are kept, about 4 MB; the one that was idle longest is forgotten first, so memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Policy:
    """So many at once (`quota`), and as many again in the course of `window` seconds, evenly."""

    name: str
    quota: int
    window: float


@dataclass(frozen=True, slots=True)
class Count:
    """What is left after one was asked for: `left` more at once, all again in `full_in` seconds.

    `wait`: seconds until the next has a chance; 0 where this one was granted."""

    policy: Policy
    left: int
    full_in: float
    wait: float = 0.0

    @property
    def granted(self) -> bool:
        """Whether this one was within the limit."""
        return self.wait == 0.0


@dataclass(slots=True)
class _Bucket:
    left: float
    at: Timestamp


class Buckets:
    """One bounded store for the buckets of every policy. In memory: a restart forgives."""

    def __init__(self, clock: Clock, remembered: int = REMEMBERED) -> None:
        self._clock = clock
        self._remembered = remembered
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, policy: Policy, key: str) -> Count:
        """Count one against `key`, if its bucket has one left. One that is refused costs nothing."""
        now = self._clock()
        bucket = self._buckets.setdefault((policy.name, key), _Bucket(policy.quota, now))
        self._buckets.move_to_end((policy.name, key))
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        each = policy.window / policy.quota
        # A clock that was set back must not take anything away.
        bucket.left = min(float(policy.quota), bucket.left + max(0.0, now - bucket.at) / each)
        bucket.at = now
        wait = 0.0 if bucket.left >= 1.0 else (1.0 - bucket.left) * each
        if not wait:
            bucket.left -= 1.0
        return Count(policy, math.floor(bucket.left), (policy.quota - bucket.left) * each, wait)

    def give_back(self, policy: Policy, key: str) -> None:
        """Uncount one that was granted to `key`."""
        if (bucket := self._buckets.get((policy.name, key))) is not None:
            bucket.left = min(float(policy.quota), bucket.left + 1.0)
