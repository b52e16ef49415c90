"""Answers that are kept for a while: in this process, and where it is worth it in a store that outlives it."""

from streamhost.caching.cache import Cache, Counts
from streamhost.caching.memory import Memory
from streamhost.caching.sealing import Seal
from streamhost.caching.shared import Shared

__all__ = ["Cache", "Counts", "Memory", "Seal", "Shared"]
