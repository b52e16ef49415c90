"""Whom moderation lets a video have, what models found, verdicts, cases that wait for a person, re-screenings.

Videos of before are open to whom they were open to. `verdicts.video_id` refers to nothing: a verdict against a video
outlives it. A row of `review_cases` is a case that is open. `mark` names what stands beside a video's pictures.
"""

CLEARANCE = """
ALTER TABLE videos ADD COLUMN clearance TEXT NOT NULL DEFAULT 'open';
CREATE INDEX videos_by_clearance ON videos(clearance) WHERE clearance <> 'open';
"""

SCREENINGS = """
CREATE TABLE screenings (
    video_id TEXT PRIMARY KEY REFERENCES videos(id) ON DELETE CASCADE,
    package_id TEXT,
    mark TEXT NOT NULL,
    models TEXT NOT NULL,
    concerned TEXT NOT NULL,
    findings TEXT NOT NULL,
    screened_at REAL NOT NULL
);
"""

VERDICTS = """
CREATE TABLE verdicts (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    video_id TEXT NOT NULL,
    at REAL NOT NULL,
    made_by TEXT NOT NULL,
    person_id TEXT,
    person TEXT NOT NULL DEFAULT '',
    decision TEXT NOT NULL,
    risk TEXT NOT NULL,
    clearance_before TEXT NOT NULL,
    clearance_after TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    package_id TEXT,
    mark TEXT NOT NULL DEFAULT '',
    grounds TEXT NOT NULL DEFAULT '{}',
    undone_at REAL
);
CREATE INDEX verdicts_by_video ON verdicts(video_id, number);
"""

CASES = """
CREATE TABLE review_cases (
    video_id TEXT PRIMARY KEY REFERENCES videos(id) ON DELETE CASCADE,
    cause TEXT NOT NULL,
    risk TEXT NOT NULL,
    rank INTEGER NOT NULL,
    categories TEXT NOT NULL DEFAULT '[]',
    opened_at REAL NOT NULL,
    reviewer_id TEXT REFERENCES users(id) ON DELETE SET NULL,
    claimed_until REAL
);
CREATE INDEX review_cases_by_rank ON review_cases(rank, opened_at, video_id);
CREATE TABLE moderation_choices (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
"""

RESCREENS = """
CREATE TABLE rescreens (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    started_at REAL NOT NULL,
    started_by TEXT NOT NULL,
    finished_at REAL,
    total INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE rescreened (
    rescreen_id TEXT NOT NULL REFERENCES rescreens(id) ON DELETE CASCADE,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    clearance_before TEXT,
    clearance_after TEXT,
    risk TEXT,
    decision TEXT,
    failed INTEGER NOT NULL DEFAULT 0,
    applied INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (rescreen_id, video_id)
);
"""

SCRIPTS = (CLEARANCE, SCREENINGS, VERDICTS, CASES, RESCREENS)
