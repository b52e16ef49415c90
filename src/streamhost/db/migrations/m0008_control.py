"""Work that can be paused and put in order, what is known of its speed, what is kept of a file, and files replaced.

`speed` is seconds of film made in a second, `eta` the seconds that are left; NULL while that is not known.
`keep_source` of a video is NULL where the site's rule counts. A package with a `given_up_at` was begun and
not finished: its parts stay for a while, so that a retry goes on from there. A package without a `source_key` was made
from its video's.
"""

JOBS = """
ALTER TABLE jobs ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN speed REAL;
ALTER TABLE jobs ADD COLUMN eta REAL;
CREATE INDEX jobs_by_creation ON jobs(created_at, id);
"""

VIDEOS = """
ALTER TABLE videos ADD COLUMN speed REAL;
ALTER TABLE videos ADD COLUMN eta REAL;
ALTER TABLE videos ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE videos ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE videos ADD COLUMN allow_download INTEGER NOT NULL DEFAULT 0;
ALTER TABLE videos ADD COLUMN keep_source TEXT;
"""

PACKAGES = """
ALTER TABLE packages ADD COLUMN source_key TEXT;
ALTER TABLE packages ADD COLUMN given_up_at REAL;
"""

REPLACEMENTS = """
CREATE TABLE replacements (
    video_id TEXT PRIMARY KEY REFERENCES videos(id) ON DELETE CASCADE,
    source_key TEXT NOT NULL,
    source_name TEXT NOT NULL DEFAULT '',
    source_size INTEGER NOT NULL DEFAULT 0,
    source_sha256 TEXT,
    package_id TEXT,
    progress REAL NOT NULL DEFAULT 0,
    step TEXT NOT NULL DEFAULT '',
    error_code TEXT,
    error_detail TEXT,
    error_hint TEXT,
    created_at REAL NOT NULL
);
"""

SCRIPTS = (JOBS, VIDEOS, PACKAGES, REPLACEMENTS)
