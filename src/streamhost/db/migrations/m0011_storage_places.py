"""Where objects may lie: storages that have ever taken some, until they were emptied.

A place with a `moving_to` is being emptied into another one; the numbers tell how far that is.
"""

STORAGE_PLACES = """
CREATE TABLE storage_places (
    name TEXT PRIMARY KEY,
    since REAL NOT NULL,
    moving_to TEXT,
    moving_since REAL,
    moved_objects INTEGER NOT NULL DEFAULT 0,
    moved_bytes INTEGER NOT NULL DEFAULT 0
);
"""

SCRIPTS = (STORAGE_PLACES,)
