"""What may be replaced of recommendations; see `ports`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from streamhost.model.errors import StreamhostError
from streamhost.model.ids import VideoId
from streamhost.model.recommendations import Candidate, Edge, GraphSize, Node, Profile


class RecommenderUnavailable(StreamhostError):
    """What proposes videos cannot be asked now."""

    code = "recommender_unavailable"


class Recommender(Protocol):
    """Proposes videos, to somebody or beside a video.

    It need not look at who may see what: that is done for every list when it is shown, and what was watched or hidden
    is left out there too. At most `limit` candidates, each video once, scores finite and higher for better ones; ids
    that are not of this site are dropped. Nothing to propose is an empty answer. Several may ask at once, and ask
    again; whoever does not wait any more cancels. Raises `RecommenderUnavailable`, and nothing else.
    """

    async def recommend(self, profile: Profile, limit: int) -> Sequence[Candidate]:
        """For somebody. An empty profile is somebody of whom nothing is known."""
        ...

    async def related(self, video_id: VideoId, limit: int) -> Sequence[Candidate]:
        """Beside a video, which is not among them."""
        ...


class GraphUnavailable(StreamhostError):
    """The watch graph cannot be asked now."""

    code = "graph_unavailable"
    hint = "It is tried again; look at the server behind the watch graph."


class WatchGraph(Protocol):
    """Keeps which videos are watched by the same viewers, and which viewers watch the same videos.

    Edges have two ends of the same kind: what stands in the list of one node stands in the other's too. Each node keeps
    its strongest edges, at least 20 and at most 200 of them; the others are forgotten, perhaps at one end only. Every
    method may be repeated and called while others run. Raises `GraphUnavailable`, and nothing else.
    """

    async def put(self, node: Node, edges: Sequence[Edge]) -> None:
        """Make these the edges of a node, also in the lists of the other ends; earlier ones are gone. Weights 0..1."""
        ...

    async def near(self, nodes: Sequence[Node], limit: int) -> Mapping[Node, Sequence[Edge]]:
        """The strongest edges of each node, at most `limit`, strongest first; nodes without any may be left out."""
        ...

    async def forget(self, node: Node) -> None:
        """Remove a node with all its edges; one that is not there is no error."""
        ...

    async def size(self) -> GraphSize:
        """How many edges there are, each counted from both its ends."""
        ...
