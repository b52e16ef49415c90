"""Rows of `brand_pictures` and `brand_logo`: the site's logo, in the sizes in which it is used."""

from __future__ import annotations

from collections.abc import Mapping

from streamhost.db.core import Connection
from streamhost.model.branding import Logo
from streamhost.model.clock import Timestamp


async def get(conn: Connection) -> tuple[Logo, dict[str, bytes]] | None:
    """The logo and its pictures by name, None where there is none."""
    row = await conn.fetch_one("SELECT version, width, height FROM brand_logo", {})
    if row is None:
        return None
    pictures = await conn.fetch_all("SELECT name, content FROM brand_pictures", {})
    return Logo(row["version"], row["width"], row["height"]), {one["name"]: bytes(one["content"]) for one in pictures}


async def put(conn: Connection, logo: Logo, pictures: Mapping[str, bytes], now: Timestamp) -> None:
    """Make this the logo."""
    await remove(conn)
    await conn.execute(
        "INSERT INTO brand_logo (version, width, height, changed_at) VALUES (:version, :width, :height, :now)",
        {"version": logo.version, "width": logo.width, "height": logo.height, "now": now},
    )
    for name, content in pictures.items():
        await conn.execute(
            "INSERT INTO brand_pictures (name, content) VALUES (:name, :content)", {"name": name, "content": content}
        )


async def remove(conn: Connection) -> bool:
    """Take the logo away; False if there was none."""
    await conn.execute("DELETE FROM brand_pictures", {})
    return await conn.execute("DELETE FROM brand_logo", {}) > 0
