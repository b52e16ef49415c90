"""Files of import folders: what was seen, what has become of it, and how each folder was last searched.

Paths are bytes, as the system has them. `path` is NULL once a file was moved away. `identity` is device and inode.
`video_id` outlives the video: a file whose video was deleted is not imported again by itself.
"""

FILES = """
CREATE TABLE import_files (
    id TEXT PRIMARY KEY,
    root BLOB NOT NULL,
    folder BLOB NOT NULL,
    path BLOB UNIQUE,
    name TEXT NOT NULL,
    identity TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    fingerprint TEXT,
    sha256 TEXT,
    state TEXT NOT NULL,
    error_code TEXT,
    error_detail TEXT,
    error_hint TEXT,
    retry_at REAL,
    video_id TEXT,
    staged_key TEXT,
    imported_at REAL,
    policy TEXT,
    sidecars TEXT NOT NULL DEFAULT '[]',
    owed INTEGER NOT NULL DEFAULT 0,
    wishes TEXT NOT NULL DEFAULT '{}',
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL
);
CREATE INDEX import_files_by_folder ON import_files(folder);
CREATE INDEX import_files_by_root ON import_files(root);
CREATE INDEX import_files_by_identity ON import_files(identity);
CREATE INDEX import_files_by_content ON import_files(fingerprint);
CREATE INDEX import_files_by_state ON import_files(state, updated_at);
CREATE INDEX import_files_by_video ON import_files(video_id);
CREATE INDEX import_files_owed ON import_files(owed) WHERE owed = 1;
"""

SCANS = """
CREATE TABLE import_scans (
    root BLOB PRIMARY KEY,
    begun_at REAL NOT NULL,
    ended_at REAL,
    files INTEGER NOT NULL DEFAULT 0,
    news INTEGER NOT NULL DEFAULT 0,
    error_code TEXT,
    error_detail TEXT,
    error_hint TEXT
);
"""

SCRIPTS = (FILES, SCANS)
