"""What players report, what somebody has seen of a video, and the sums of it.

`playback_events` is what was reported, kept for a time. It is folded, in the order of its numbers, into `playbacks`
(one session of one video), `interactions` (what one viewer has seen of one video) and the sums, which are kept for ever
and name nobody. `viewer` is `u:<user>`, `s:<visit>`, or empty. The subject of a sum is a video's id, `owner:<user>` or
`all`.
"""

EVENTS = """
CREATE TABLE playbacks (
    id TEXT PRIMARY KEY,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    viewer TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL,
    device TEXT NOT NULL,
    duration REAL NOT NULL,
    begun_at REAL NOT NULL,
    last_at REAL NOT NULL,
    watching TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX playbacks_by_video ON playbacks(video_id, begun_at);
CREATE INDEX playbacks_by_viewer ON playbacks(viewer) WHERE viewer <> '';
CREATE INDEX playbacks_by_time ON playbacks(last_at);

CREATE TABLE playback_events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    playback_id TEXT NOT NULL REFERENCES playbacks(id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    received_at REAL NOT NULL,
    event TEXT NOT NULL,
    UNIQUE (playback_id, seq)
);

CREATE TABLE playback_marks (
    name TEXT PRIMARY KEY,
    number INTEGER NOT NULL
);
"""

INTERACTIONS = """
CREATE TABLE interactions (
    viewer TEXT NOT NULL,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    watched REAL NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    liked INTEGER NOT NULL DEFAULT 0,
    position REAL,
    spans TEXT NOT NULL DEFAULT '[]',
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    PRIMARY KEY (viewer, video_id)
);
CREATE INDEX interactions_by_video ON interactions(video_id);
CREATE INDEX interactions_by_viewer ON interactions(viewer, last_at);
CREATE INDEX interactions_by_time ON interactions(last_at);
"""

SUMS = """
CREATE TABLE playback_days (
    subject TEXT NOT NULL,
    day INTEGER NOT NULL,
    views REAL NOT NULL DEFAULT 0,
    played REAL NOT NULL DEFAULT 0,
    figures TEXT NOT NULL DEFAULT '{}',
    viewers BLOB NOT NULL DEFAULT x'',
    PRIMARY KEY (subject, day)
);
CREATE INDEX playback_days_by_day ON playback_days(day);
CREATE TABLE playback_hours (
    subject TEXT NOT NULL,
    hour INTEGER NOT NULL,
    views REAL NOT NULL DEFAULT 0,
    played REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (subject, hour)
);
"""

ENDINGS = """
CREATE TRIGGER playbacks_of_user AFTER DELETE ON users BEGIN
    DELETE FROM interactions WHERE viewer = 'u:' || old.id;
    UPDATE playbacks SET viewer = '' WHERE viewer = 'u:' || old.id;
    DELETE FROM playback_days WHERE subject = 'owner:' || old.id;
    DELETE FROM playback_hours WHERE subject = 'owner:' || old.id;
END;
CREATE TRIGGER sums_of_video AFTER DELETE ON videos BEGIN
    DELETE FROM playback_days WHERE subject = old.id;
    DELETE FROM playback_hours WHERE subject = old.id;
END;
"""

SCRIPTS = (EVENTS, INTERACTIONS, SUMS, ENDINGS)
