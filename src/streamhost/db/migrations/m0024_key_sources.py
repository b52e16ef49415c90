"""Which key source has the keys of which package. Those that lie in the catalog have the built-in one's."""

SOURCES = """
CREATE TABLE key_sources (
    package_id TEXT PRIMARY KEY REFERENCES packages(id) ON DELETE CASCADE,
    name TEXT NOT NULL
);
INSERT INTO key_sources (package_id, name) SELECT DISTINCT package_id, 'local' FROM content_keys;
"""

SCRIPTS = (SOURCES,)
