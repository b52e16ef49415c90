"""What viewers report."""

REPORTS = """
CREATE TABLE reports (
    id TEXT PRIMARY KEY,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    reporter TEXT NOT NULL,
    user_id TEXT REFERENCES users(id) ON DELETE SET NULL,
    reason TEXT NOT NULL,
    words TEXT NOT NULL DEFAULT '',
    at REAL,
    wants_answer INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    closed_at REAL,
    outcome TEXT
);
CREATE UNIQUE INDEX reports_open ON reports(video_id, reporter) WHERE closed_at IS NULL;
CREATE INDEX reports_by_time ON reports(video_id, created_at);
CREATE INDEX reports_closed ON reports(closed_at) WHERE closed_at IS NOT NULL;
"""

SCRIPTS = (REPORTS,)
