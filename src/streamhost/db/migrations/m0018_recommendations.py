"""What recommendations rest on: the watch graph, how popular videos are, and what viewers want of them.

The triggers note whose edges are to be made anew; small steps while somebody watches are not worth that. `heat` is a
logarithm, base 2, of decayed views, counted in half-lives since 1970: it grows with views and never needs decaying.
"""

GRAPH = """
CREATE TABLE watch_edges (
    kind TEXT NOT NULL,
    node TEXT NOT NULL,
    other TEXT NOT NULL,
    weight REAL NOT NULL,
    PRIMARY KEY (kind, node, other)
) WITHOUT ROWID;
CREATE INDEX watch_edges_by_weight ON watch_edges(kind, node, weight);
CREATE INDEX watch_edges_by_other ON watch_edges(kind, other);

CREATE TABLE graph_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    node TEXT NOT NULL,
    UNIQUE (kind, node)
);

CREATE TABLE video_heat (
    video_id TEXT PRIMARY KEY REFERENCES videos(id) ON DELETE CASCADE,
    heat REAL NOT NULL,
    viewers INTEGER NOT NULL
);
CREATE INDEX video_heat_by_heat ON video_heat(heat);
CREATE INDEX interactions_by_video_and_time ON interactions(video_id, last_at);
"""

CHANGES = """
CREATE TRIGGER graph_hears_new AFTER INSERT ON interactions BEGIN
    DELETE FROM graph_changes WHERE kind = 'video' AND node = new.video_id;
    DELETE FROM graph_changes WHERE kind = 'viewer' AND node = new.viewer;
    INSERT INTO graph_changes (kind, node) VALUES ('video', new.video_id), ('viewer', new.viewer);
END;
CREATE TRIGGER graph_hears_more AFTER UPDATE ON interactions
WHEN new.completed <> old.completed OR new.liked <> old.liked OR new.skipped <> old.skipped
    OR CAST(new.watched * 4 AS INTEGER) <> CAST(old.watched * 4 AS INTEGER)
BEGIN
    DELETE FROM graph_changes WHERE kind = 'video' AND node = new.video_id;
    DELETE FROM graph_changes WHERE kind = 'viewer' AND node = new.viewer;
    INSERT INTO graph_changes (kind, node) VALUES ('video', new.video_id), ('viewer', new.viewer);
END;
CREATE TRIGGER graph_hears_less AFTER DELETE ON interactions BEGIN
    DELETE FROM graph_changes WHERE kind = 'video' AND node = old.video_id;
    DELETE FROM graph_changes WHERE kind = 'viewer' AND node = old.viewer;
    INSERT INTO graph_changes (kind, node) VALUES ('video', old.video_id), ('viewer', old.viewer);
END;
"""

WISHES = """
CREATE TABLE recommendation_wishes (
    viewer TEXT PRIMARY KEY,
    personal INTEGER NOT NULL DEFAULT 1,
    since REAL NOT NULL DEFAULT 0,
    changed_at REAL NOT NULL
);
CREATE TABLE dismissed_videos (
    viewer TEXT NOT NULL,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    dismissed_at REAL NOT NULL,
    PRIMARY KEY (viewer, video_id)
);
CREATE INDEX dismissed_by_video ON dismissed_videos(video_id);
CREATE TRIGGER recommendations_of_user AFTER DELETE ON users BEGIN
    DELETE FROM recommendation_wishes WHERE viewer = 'u:' || old.id;
    DELETE FROM dismissed_videos WHERE viewer = 'u:' || old.id;
END;
"""

WORDS = """
CREATE VIRTUAL TABLE videos_vocabulary USING fts5vocab('videos_fts', 'row');
"""

SCRIPTS = (GRAPH, CHANGES, WISHES, WORDS)
