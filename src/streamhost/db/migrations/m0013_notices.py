"""Notices under the bell, who wants to be told of what by which channel, webhooks, and what is on its way to others.

Secrets of webhooks are never in the clear: see `streamhost.features.notifications.sealing`.
"""

NOTICES = """
CREATE TABLE notices (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    notice TEXT NOT NULL,
    created_at REAL NOT NULL,
    read_at REAL
);
CREATE INDEX notices_by_user ON notices(user_id, number);
CREATE INDEX notices_unread ON notices(user_id) WHERE read_at IS NULL;
CREATE INDEX notices_by_time ON notices(created_at);
"""

WISHES = """
CREATE TABLE notice_wishes (
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, channel)
);
CREATE TABLE notice_addresses (
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (user_id, channel)
);
"""

MAIL = """
CREATE TABLE notice_mails (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    notice TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE INDEX notice_mails_by_user ON notice_mails(user_id, created_at);
CREATE TABLE notice_mail_turns (
    user_id TEXT PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
    sent_at REAL NOT NULL
);
"""

WEBHOOKS = """
CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    note TEXT NOT NULL DEFAULT '',
    kinds TEXT NOT NULL DEFAULT '[]',
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_until REAL,
    created_at REAL NOT NULL,
    delivered_at REAL,
    failing_since REAL,
    disabled_at REAL,
    disabled_because TEXT NOT NULL DEFAULT ''
);
CREATE TABLE deliveries (
    id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    notice TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    queued_at REAL NOT NULL,
    next_at REAL,
    ended_at REAL,
    error_code TEXT,
    error_detail TEXT
);
CREATE INDEX deliveries_by_target ON deliveries(target, created_at);
CREATE INDEX deliveries_by_state ON deliveries(state, created_at);
"""

EVENTS = """
CREATE TABLE heard_events (
    id TEXT PRIMARY KEY,
    heard_at REAL NOT NULL
);
CREATE TABLE alarms (
    name TEXT PRIMARY KEY,
    raised_at REAL NOT NULL
);
"""

SCRIPTS = (NOTICES, WISHES, MAIL, WEBHOOKS, EVENTS)
