"""The room for what to show next, and why: proposals, the watch graph, and the model that learns."""

from streamhost.features.recommendations.asking import Asking
from streamhost.features.recommendations.figures import Evaluation, ahead_in_words
from streamhost.features.recommendations.graphs import CatalogWatchGraph, ChosenWatchGraph, MemoryWatchGraph
from streamhost.features.recommendations.keeping import GraphKeeping
from streamhost.features.recommendations.learning import Learning, Status
from streamhost.features.recommendations.room import Item, NotRecommended, Recommendations, Recommended, Ways
from streamhost.features.recommendations.sources import built_in
from streamhost.features.recommendations.tuning import Tuning

__all__ = [
    "Asking",
    "CatalogWatchGraph",
    "ChosenWatchGraph",
    "Evaluation",
    "GraphKeeping",
    "Item",
    "Learning",
    "MemoryWatchGraph",
    "NotRecommended",
    "Recommendations",
    "Recommended",
    "Status",
    "Tuning",
    "Ways",
    "ahead_in_words",
    "built_in",
]
