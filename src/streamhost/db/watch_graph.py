"""Rows of `watch_edges` and `graph_changes`: who and what is near whom and what, and whose edges are to be made anew.

Edges stand at both of their ends. A node keeps its `KEPT` strongest: what a write adds at the other end may push a
weaker one out there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from streamhost.db.core import Connection
from streamhost.model.recommendations import Edge, GraphSize, Node, NodeKind

KEPT = 40
"""Edges of a node."""
MOST_CHANGED = 500
"""Videos of one viewer whose edges are made anew because the viewer does not want to count any more."""
_TOGETHER = 300
"""Rows written by one statement."""


class Change(NamedTuple):
    """A node whose edges are to be made anew; the number grows when it changes again."""

    number: int
    node: Node


async def put(conn: Connection, node: Node, edges: Sequence[Edge]) -> None:
    """Make these the edges of a node, seen from both ends."""
    await forget(conn, node)
    strongest = sorted(edges, key=lambda edge: (-edge.weight, edge.other))[:KEPT]
    both = [(node.id, edge.other, edge.weight) for edge in strongest]
    both += [(edge.other, node.id, edge.weight) for edge in strongest]
    for at in range(0, len(both), _TOGETHER):
        part = both[at : at + _TOGETHER]
        rows = ", ".join(f"(:kind, :n{place}, :o{place}, :w{place})" for place in range(len(part)))
        values: dict[str, str | float] = {"kind": node.kind.value}
        for place, (one, other, weight) in enumerate(part):
            values |= {f"n{place}": one, f"o{place}": other, f"w{place}": weight}
        await conn.execute(f"INSERT OR REPLACE INTO watch_edges (kind, node, other, weight) VALUES {rows}", values)
    if strongest:
        await _prune(conn, node.kind, [edge.other for edge in strongest])


async def _prune(conn: Connection, kind: NodeKind, nodes: Sequence[str]) -> None:
    """Forget the weakest edges of nodes that have more than are kept."""
    names = {f"n{place}": node for place, node in enumerate(nodes)}
    marks = ", ".join(f":{name}" for name in names)
    sql = (
        "DELETE FROM watch_edges WHERE kind = :kind AND (node, other) IN ("
        "SELECT node, other FROM (SELECT node, other, row_number() OVER "
        f"(PARTITION BY node ORDER BY weight DESC, other) AS place FROM watch_edges "
        f"WHERE kind = :kind AND node IN ({marks})) WHERE place > :kept)"
    )
    await conn.execute(sql, {**names, "kind": kind.value, "kept": KEPT})


async def forget(conn: Connection, node: Node) -> None:
    """Remove a node's edges at both ends."""
    values = {"kind": node.kind.value, "node": node.id}
    await conn.execute("DELETE FROM watch_edges WHERE kind = :kind AND node = :node", values)
    await conn.execute("DELETE FROM watch_edges WHERE kind = :kind AND other = :node", values)


async def near(conn: Connection, nodes: Sequence[Node], limit: int) -> Mapping[Node, Sequence[Edge]]:
    """The strongest edges of each node, strongest first."""
    found: dict[Node, list[Edge]] = {}
    for kind in NodeKind:
        names = {f"n{place}": node.id for place, node in enumerate(nodes) if node.kind is kind}
        if not names:
            continue
        sql = (
            "SELECT node, other, weight FROM (SELECT node, other, weight, row_number() OVER "
            "(PARTITION BY node ORDER BY weight DESC, other) AS place FROM watch_edges "
            f"WHERE kind = :kind AND node IN ({', '.join(f':{name}' for name in names)})) "
            "WHERE place <= :limit ORDER BY node, place"
        )
        for row in await conn.fetch_all(sql, {**names, "kind": kind.value, "limit": limit}):
            found.setdefault(Node(kind, row["node"]), []).append(Edge(row["other"], row["weight"]))
    return found


async def size(conn: Connection) -> GraphSize:
    """How many edges there are."""
    rows = await conn.fetch_all("SELECT kind, count(*) AS edges FROM watch_edges GROUP BY kind")
    counts = {row["kind"]: row["edges"] for row in rows}
    return GraphSize(counts.get(NodeKind.VIDEO.value, 0), counts.get(NodeKind.VIEWER.value, 0))


async def changes(conn: Connection, limit: int) -> list[Change]:
    """Nodes whose edges are to be made anew, those that have waited longest first."""
    rows = await conn.fetch_all("SELECT * FROM graph_changes ORDER BY number LIMIT :limit", {"limit": limit})
    return [Change(row["number"], Node(NodeKind(row["kind"]), row["node"])) for row in rows]


async def waiting(conn: Connection) -> int:
    """How many wait for that."""
    row = await conn.fetch_one("SELECT count(*) AS waiting FROM graph_changes")
    return int(row["waiting"]) if row else 0


async def done(conn: Connection, change: Change) -> None:
    """Note that a node's edges are as they should be; one that has changed again meanwhile still waits."""
    await conn.execute("DELETE FROM graph_changes WHERE number = :number", {"number": change.number})


async def changed_all(conn: Connection, viewer: str) -> None:
    """Note that a viewer's edges are to be made anew, and those of everything that they watched."""
    values = {"viewer": viewer, "most": MOST_CHANGED}
    sql = "SELECT 'video', video_id FROM interactions WHERE viewer = :viewer ORDER BY last_at DESC LIMIT :most"
    await conn.execute(f"INSERT OR REPLACE INTO graph_changes (kind, node) {sql}", values)
    await conn.execute("INSERT OR REPLACE INTO graph_changes (kind, node) VALUES ('viewer', :viewer)", values)
