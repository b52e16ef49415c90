"""The first schema: people, videos, uploads, jobs, search.

Moments are seconds since 1970 UTC (REAL). Booleans are 0 or 1. Lists and small structures are JSON text.
Column types are those that SQLite and PostgreSQL both know.
"""

TABLES = """
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    email_verified_at REAL,
    created_at REAL NOT NULL,
    disabled_at REAL
);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    last_used_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    revoked_at REAL,
    device TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT ''
);
CREATE INDEX sessions_by_user ON sessions(user_id);

CREATE TABLE refresh_tokens (
    digest TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions(id) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens(session_id);

CREATE TABLE videos (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    tags TEXT NOT NULL DEFAULT '[]',
    visibility TEXT NOT NULL,
    protection TEXT NOT NULL,
    state TEXT NOT NULL,
    progress REAL NOT NULL DEFAULT 0,
    step TEXT NOT NULL DEFAULT '',
    playable INTEGER NOT NULL DEFAULT 0,
    duration REAL,
    width INTEGER,
    height INTEGER,
    source_key TEXT,
    source_name TEXT NOT NULL DEFAULT '',
    source_size INTEGER NOT NULL DEFAULT 0,
    source_sha256 TEXT,
    package_id TEXT,
    poster_key TEXT,
    error_code TEXT,
    error_detail TEXT,
    error_hint TEXT,
    notes TEXT NOT NULL DEFAULT '[]',
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    published_at REAL,
    deleted_at REAL
);
CREATE INDEX videos_by_owner ON videos(owner_id, created_at);
CREATE INDEX videos_by_published ON videos(visibility, published_at);

CREATE TABLE packages (
    id TEXT PRIMARY KEY,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    stage TEXT NOT NULL,
    recipe TEXT NOT NULL DEFAULT '{}',
    created_at REAL NOT NULL,
    finished_at REAL
);
CREATE INDEX packages_by_video ON packages(video_id);

CREATE TABLE package_parts (
    package_id TEXT NOT NULL REFERENCES packages(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    stage TEXT NOT NULL,
    weight REAL NOT NULL DEFAULT 1,
    progress REAL NOT NULL DEFAULT 0,
    facts TEXT,
    done_at REAL,
    PRIMARY KEY (package_id, name)
);

CREATE TABLE renditions (
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    package_id TEXT NOT NULL,
    name TEXT NOT NULL,
    width INTEGER NOT NULL DEFAULT 0,
    height INTEGER NOT NULL DEFAULT 0,
    codec TEXT NOT NULL DEFAULT '',
    bitrate INTEGER NOT NULL DEFAULT 0,
    ready INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (video_id, package_id, name)
);

CREATE TABLE uploads (
    id TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    length INTEGER,
    bytes INTEGER NOT NULL DEFAULT 0,
    parts TEXT NOT NULL DEFAULT '[]',
    metadata TEXT NOT NULL DEFAULT '{}',
    metadata_header TEXT NOT NULL DEFAULT '',
    video_id TEXT,
    finished_at REAL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL
);
CREATE INDEX uploads_by_expiry ON uploads(expires_at);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    lane TEXT NOT NULL,
    state TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    run_at REAL NOT NULL,
    created_at REAL NOT NULL,
    lock TEXT,
    queueing_lock TEXT,
    subject TEXT,
    worker TEXT,
    lease_until REAL,
    started_at REAL,
    finished_at REAL,
    progress REAL NOT NULL DEFAULT 0,
    step TEXT NOT NULL DEFAULT '',
    error_code TEXT,
    error_detail TEXT,
    cancel_requested INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX jobs_waiting ON jobs(lane, priority DESC, run_at) WHERE state = 'queued';
CREATE INDEX jobs_by_time ON jobs(run_at) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs(lease_until) WHERE state = 'running';
CREATE INDEX jobs_by_subject ON jobs(subject);
CREATE UNIQUE INDEX jobs_queueing_lock ON jobs(queueing_lock) WHERE state = 'queued' AND queueing_lock IS NOT NULL;
CREATE UNIQUE INDEX jobs_lock ON jobs(lock) WHERE state = 'running' AND lock IS NOT NULL;
"""

SEARCH = """
CREATE VIRTUAL TABLE videos_fts USING fts5(
    title, description, tags, content='videos', content_rowid='number',
    tokenize='unicode61 remove_diacritics 2', prefix='2 3'
);
CREATE TRIGGER videos_fts_insert AFTER INSERT ON videos BEGIN
    INSERT INTO videos_fts(rowid, title, description, tags) VALUES (new.number, new.title, new.description, new.tags);
END;
CREATE TRIGGER videos_fts_delete AFTER DELETE ON videos BEGIN
    INSERT INTO videos_fts(videos_fts, rowid, title, description, tags)
    VALUES ('delete', old.number, old.title, old.description, old.tags);
END;
CREATE TRIGGER videos_fts_update AFTER UPDATE OF title, description, tags ON videos BEGIN
    INSERT INTO videos_fts(videos_fts, rowid, title, description, tags)
    VALUES ('delete', old.number, old.title, old.description, old.tags);
    INSERT INTO videos_fts(rowid, title, description, tags) VALUES (new.number, new.title, new.description, new.tags);
END;
"""

SCRIPTS = (TABLES, SEARCH)
