"""Finding videos by what somebody remembers of them."""

from streamhost.features.search.room import Found, Hit, Search, Suggestion

__all__ = ["Found", "Hit", "Search", "Suggestion"]
