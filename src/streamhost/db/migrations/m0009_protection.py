"""Content keys, what a package is protected by, passwords and links that open a video, limits of streams.

`content_keys.wrapped` is never a key in the clear: see `streamhost.features.protection.wrapping`.
A package with `replaces` is made from the segments of that one, to take its place.
"""

PROTECTION = """
ALTER TABLE packages ADD COLUMN protection TEXT NOT NULL DEFAULT 'none';
ALTER TABLE packages ADD COLUMN replaces TEXT;

CREATE TABLE content_keys (
    kid TEXT PRIMARY KEY,
    package_id TEXT NOT NULL REFERENCES packages(id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    wrapping_key INTEGER NOT NULL,
    wrapped TEXT NOT NULL,
    created_at REAL NOT NULL,
    UNIQUE (package_id, place)
);
"""

OPENING = """
ALTER TABLE videos ADD COLUMN password_hash TEXT;
ALTER TABLE videos ADD COLUMN embed_origins TEXT NOT NULL DEFAULT '[]';

CREATE TABLE share_links (
    id TEXT PRIMARY KEY,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    note TEXT NOT NULL DEFAULT '',
    most_uses INTEGER,
    uses INTEGER NOT NULL DEFAULT 0,
    created_by TEXT REFERENCES users(id) ON DELETE SET NULL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    revoked_at REAL
);
CREATE INDEX share_links_by_video ON share_links(video_id, created_at);
CREATE INDEX share_links_by_end ON share_links(revoked_at) WHERE revoked_at IS NOT NULL;
"""

STREAMS = """
CREATE TABLE stream_limits (
    user_id TEXT PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
    most INTEGER NOT NULL
);
"""

SCRIPTS = (PROTECTION, OPENING, STREAMS)
