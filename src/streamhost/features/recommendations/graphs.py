"""Two watch graphs: in the catalog, as every site has it, and in memory, for tests and for trying things out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamhost.db import watch_graph as rows
from streamhost.db.core import Database
from streamhost.db.errors import CatalogUnavailable
from streamhost.model.recommendations import Edge, GraphSize, Node, NodeKind
from streamhost.ports_recommending import GraphUnavailable, WatchGraph


class ChosenWatchGraph:
    """The graph that the settings name, which is known only once plugins have said what they bring; a `WatchGraph`."""

    def __init__(self) -> None:
        self._graph: WatchGraph | None = None

    def choose(self, graph: WatchGraph) -> None:
        """From now on it is this one."""
        self._graph = graph

    async def put(self, node: Node, edges: Sequence[Edge]) -> None:
        """See `WatchGraph`."""
        await self._chosen().put(node, edges)

    async def near(self, nodes: Sequence[Node], limit: int) -> Mapping[Node, Sequence[Edge]]:
        """See `WatchGraph`."""
        return await self._chosen().near(nodes, limit)

    async def forget(self, node: Node) -> None:
        """See `WatchGraph`."""
        await self._chosen().forget(node)

    async def size(self) -> GraphSize:
        """See `WatchGraph`."""
        return await self._chosen().size()

    def _chosen(self) -> WatchGraph:
        if self._graph is None:
            raise GraphUnavailable("None was chosen yet.")
        return self._graph


class CatalogWatchGraph:
    """Edges as rows of the catalog; a `WatchGraph`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, node: Node, edges: Sequence[Edge]) -> None:
        """See `WatchGraph`."""
        try:
            async with self._db.write() as conn:
                await rows.put(conn, node, edges)
        except CatalogUnavailable as error:
            raise GraphUnavailable(str(error)) from error

    async def near(self, nodes: Sequence[Node], limit: int) -> Mapping[Node, Sequence[Edge]]:
        """See `WatchGraph`."""
        try:
            async with self._db.read() as conn:
                return await rows.near(conn, nodes, limit)
        except CatalogUnavailable as error:
            raise GraphUnavailable(str(error)) from error

    async def forget(self, node: Node) -> None:
        """See `WatchGraph`."""
        try:
            async with self._db.write() as conn:
                await rows.forget(conn, node)
        except CatalogUnavailable as error:
            raise GraphUnavailable(str(error)) from error

    async def size(self) -> GraphSize:
        """See `WatchGraph`."""
        try:
            async with self._db.read() as conn:
                return await rows.size(conn)
        except CatalogUnavailable as error:
            raise GraphUnavailable(str(error)) from error


class MemoryWatchGraph:
    """Edges in this process alone, gone with it; a `WatchGraph`."""

    def __init__(self, kept: int = rows.KEPT) -> None:
        self._kept = kept
        self._edges: dict[Node, dict[str, float]] = {}

    async def put(self, node: Node, edges: Sequence[Edge]) -> None:
        """See `WatchGraph`."""
        await self.forget(node)
        strongest = sorted(edges, key=lambda edge: (-edge.weight, edge.other))[: self._kept]
        if strongest:
            self._edges[node] = {edge.other: edge.weight for edge in strongest}
        for edge in strongest:
            theirs = self._edges.setdefault(Node(node.kind, edge.other), {})
            theirs[node.id] = edge.weight
            for other, _ in sorted(theirs.items(), key=lambda pair: (-pair[1], pair[0]))[self._kept :]:
                del theirs[other]

    async def near(self, nodes: Sequence[Node], limit: int) -> Mapping[Node, Sequence[Edge]]:
        """See `WatchGraph`."""
        return {node: self._strongest(node, limit) for node in nodes if self._edges.get(node)}

    def _strongest(self, node: Node, limit: int) -> list[Edge]:
        found = sorted(self._edges[node].items(), key=lambda pair: (-pair[1], pair[0]))
        return [Edge(other, weight) for other, weight in found[:limit]]

    async def forget(self, node: Node) -> None:
        """See `WatchGraph`."""
        self._edges.pop(node, None)
        for other, edges in list(self._edges.items()):
            if other.kind is node.kind and edges.pop(node.id, None) is not None and not edges:
                del self._edges[other]

    async def size(self) -> GraphSize:
        """See `WatchGraph`."""
        counts = dict.fromkeys(NodeKind, 0)
        for node, edges in self._edges.items():
            counts[node.kind] += len(edges)
        return GraphSize(counts[NodeKind.VIDEO], counts[NodeKind.VIEWER])
