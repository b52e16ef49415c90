"""What every watch graph must do: the contract of `streamhost.ports.WatchGraph` as a suite of tests.

class TestMyGraph(WatchGraphContract):
    @pytest.fixture
    def graph(self) -> WatchGraph:
        return MyGraph(...)
"""

from __future__ import annotations

from collections.abc import Sequence

from streamhost.model.recommendations import Edge, GraphSize, Node, NodeKind
from streamhost.ports_recommending import WatchGraph

FEWEST_KEPT, MOST_KEPT = 20, 200
A, B, C = (Node(NodeKind.VIDEO, name) for name in ("videoA", "videoB", "videoC"))
ALICE = Node(NodeKind.VIEWER, "u:alice")


class WatchGraphContract:
    """Inherit from it and provide `graph`, which is empty."""

    async def test_edges_have_two_ends(self, graph: WatchGraph) -> None:
        """What is put at one node is found from both, strongest first, as many as were asked for."""
        await graph.put(A, [Edge("videoB", 0.25), Edge("videoC", 0.75)])
        assert await _near(graph, A, 10) == [("videoC", 0.75), ("videoB", 0.25)]
        assert await _near(graph, A, 1) == [("videoC", 0.75)]
        assert await _near(graph, B, 10) == [("videoA", 0.25)]

    async def test_what_is_put_takes_the_place_of_what_was(self, graph: WatchGraph) -> None:
        """Old edges are gone at both ends; the same again changes nothing."""
        await graph.put(A, [Edge("videoB", 0.5)])
        for _ in range(2):
            await graph.put(A, [Edge("videoC", 0.25)])
        assert await _near(graph, A, 10) == [("videoC", 0.25)]
        assert await _near(graph, B, 10) == []
        assert await graph.size() == GraphSize(2, 0)

    async def test_what_others_have_put_stays(self, graph: WatchGraph) -> None:
        """A node's new edges take nothing from those between others."""
        await graph.put(A, [Edge("videoB", 0.5)])
        await graph.put(C, [Edge("videoB", 0.25)])
        assert await _near(graph, B, 10) == [("videoA", 0.5), ("videoC", 0.25)]

    async def test_kinds_are_apart(self, graph: WatchGraph) -> None:
        """A viewer and a video with the same id are two nodes."""
        await graph.put(ALICE, [Edge("u:bob", 0.5)])
        await graph.put(Node(NodeKind.VIDEO, "u:alice"), [Edge("videoB", 0.25)])
        assert await _near(graph, ALICE, 10) == [("u:bob", 0.5)]
        assert await graph.size() == GraphSize(2, 2)

    async def test_the_strongest_are_kept(self, graph: WatchGraph) -> None:
        """However many edges a node gets, at either end, the weakest go first."""
        edges = [Edge(f"video{number}", number / 1000) for number in range(1, 2 * MOST_KEPT)]
        await graph.put(A, edges)
        for edge in edges:
            await graph.put(Node(NodeKind.VIDEO, edge.other), [Edge("videoA", edge.weight)])
        found = await _near(graph, A, 2 * MOST_KEPT)
        assert FEWEST_KEPT <= len(found) <= MOST_KEPT
        assert found == sorted(((edge.other, edge.weight) for edge in edges), key=lambda pair: -pair[1])[: len(found)]

    async def test_a_node_can_be_forgotten(self, graph: WatchGraph) -> None:
        """It is gone from both ends, and forgetting it again is no error."""
        await graph.put(A, [Edge("videoB", 0.5), Edge("videoC", 0.25)])
        for _ in range(2):
            await graph.forget(A)
        assert await _near(graph, A, 10) == await _near(graph, B, 10) == []
        assert await graph.size() == GraphSize(0, 0)

    async def test_several_are_asked_at_once(self, graph: WatchGraph) -> None:
        """Each node has its own answer; one that is not known has none, or an empty one."""
        await graph.put(A, [Edge("videoB", 0.5)])
        await graph.put(ALICE, [Edge("u:bob", 0.25)])
        found = await graph.near([A, ALICE, C], 10)
        assert [edge.other for edge in found[A]] == ["videoB"]
        assert [edge.other for edge in found[ALICE]] == ["u:bob"]
        assert not found.get(C)

    async def test_nothing_asked(self, graph: WatchGraph) -> None:
        """No nodes, and no edges, are no error."""
        assert not await graph.near([], 10)
        await graph.put(A, [])
        assert await graph.size() == GraphSize(0, 0)


async def _near(graph: WatchGraph, node: Node, limit: int) -> Sequence[tuple[str, float]]:
    return [(edge.other, edge.weight) for edge in (await graph.near([node], limit)).get(node, ())]
