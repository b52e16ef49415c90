"""What was brought to the CDN ahead of viewers."""

CDN = """
CREATE TABLE cdn_syncs (
    video_id TEXT PRIMARY KEY REFERENCES videos(id) ON DELETE CASCADE,
    package_id TEXT,
    state TEXT NOT NULL,
    objects INTEGER NOT NULL DEFAULT 0,
    cause TEXT NOT NULL DEFAULT '',
    updated_at REAL NOT NULL
);
CREATE INDEX cdn_syncs_by_state ON cdn_syncs(state, updated_at);
"""

SCRIPTS = (CDN,)
