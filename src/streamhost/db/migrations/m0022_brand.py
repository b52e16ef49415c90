"""The site's logo, in the sizes in which it is used; and what was last counted of what is stored."""

BRAND = """
CREATE TABLE brand_logo (
    version TEXT PRIMARY KEY,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    changed_at REAL NOT NULL
);
CREATE TABLE brand_pictures (
    name TEXT PRIMARY KEY,
    content BLOB NOT NULL
);
CREATE TABLE storage_counts (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    counted_at REAL NOT NULL,
    facts TEXT NOT NULL
);
"""

SCRIPTS = (BRAND,)
