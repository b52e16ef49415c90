"""Mail that waits to be sent, and how much each user may keep.

`details` of a mail holds what its text is made of, links with their tokens included; it is emptied when the mail has
been sent. A quota that is NULL is the site's; 0 stands for no limit.
"""

MAILS = """
CREATE TABLE mails (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    recipient_key TEXT NOT NULL,
    details TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL,
    tried_at REAL,
    ended_at REAL,
    error_code TEXT,
    error_detail TEXT
);
CREATE INDEX mails_by_state ON mails(state, created_at);
CREATE INDEX mails_by_recipient ON mails(recipient_key, created_at);
"""

QUOTAS = """
ALTER TABLE users ADD COLUMN quota_bytes INTEGER;
ALTER TABLE users ADD COLUMN quota_videos INTEGER;
"""

SCRIPTS = (MAILS, QUOTAS)
