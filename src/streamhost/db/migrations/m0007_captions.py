"""Captions of a video, uploaded or taken out of its file, and its chapters."""

CAPTIONS = """
CREATE TABLE captions (
    id TEXT PRIMARY KEY,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    language TEXT NOT NULL,
    label TEXT NOT NULL,
    origin TEXT NOT NULL,
    is_default INTEGER NOT NULL DEFAULT 0,
    forced INTEGER NOT NULL DEFAULT 0,
    hearing_impaired INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL,
    package_id TEXT,
    created_at REAL NOT NULL
);
CREATE INDEX captions_by_video ON captions(video_id, created_at);
"""

CHAPTERS = """
ALTER TABLE videos ADD COLUMN chapters TEXT NOT NULL DEFAULT '[]';
ALTER TABLE videos ADD COLUMN chapters_edited INTEGER NOT NULL DEFAULT 0;
"""

SCRIPTS = (CAPTIONS, CHAPTERS)
