"""What people keep for themselves: videos they like, videos for later, and whether it is remembered what they watch.

What they have watched stands in `interactions`.
"""

LIBRARY = """
CREATE TABLE likes (
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    kept_at REAL NOT NULL,
    PRIMARY KEY (user_id, video_id)
);
CREATE INDEX likes_by_video ON likes(video_id);
CREATE INDEX likes_by_user ON likes(user_id, kept_at);
CREATE TABLE watch_later (
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    kept_at REAL NOT NULL,
    PRIMARY KEY (user_id, video_id)
);
CREATE INDEX watch_later_by_video ON watch_later(video_id);
CREATE INDEX watch_later_by_user ON watch_later(user_id, kept_at);
CREATE TABLE history_pauses (
    user_id TEXT PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
    since REAL NOT NULL
);
"""

SCRIPTS = (LIBRARY,)
