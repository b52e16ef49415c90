"""The catalog: find, read and edit videos, publish them later, and throw them away."""

from streamhost.features.catalog.many import MOST, Outcome, each
from streamhost.features.catalog.pages import MAX_PAGE, Page
from streamhost.features.catalog.publishing import Publishing
from streamhost.features.catalog.room import UNDERWAY, Catalog
from streamhost.features.catalog.trash import Trash

__all__ = ["MAX_PAGE", "MOST", "UNDERWAY", "Catalog", "Outcome", "Page", "Publishing", "Trash", "each"]
