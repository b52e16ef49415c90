"""Copies of videos at a CDN: brought there, dropped again, and where viewers find them."""

from streamhost.features.cdn.addresses import Addresses
from streamhost.features.cdn.room import CdnMissing, Copies, NotReady, Overview

__all__ = ["Addresses", "CdnMissing", "Copies", "NotReady", "Overview"]
