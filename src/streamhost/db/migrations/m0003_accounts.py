"""Invitations, second factors, API tokens, and the log of what was done to accounts.

From this version on only verified addresses may sign in. Accounts that were made before are not locked out: their
addresses count as verified since the day they were made, and the log says of each that it was so.

Rows of `audit` are written once and stay: the triggers refuse every change, and `REPLACE`, which fires no triggers for
what it deletes. They name people by id and by the words of
that day, without a foreign key, so that they outlive the account.
"""

AUDIT = """
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    act TEXT NOT NULL,
    actor_id TEXT,
    actor TEXT NOT NULL,
    subject_id TEXT,
    subject TEXT NOT NULL,
    address TEXT NOT NULL,
    details TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_act ON audit(act, number);
CREATE INDEX audit_by_actor ON audit(actor_id, number);
CREATE INDEX audit_by_subject ON audit(subject_id, number);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is never changed');
END;
CREATE TRIGGER audit_is_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE number = new.number) BEGIN
    SELECT RAISE(ABORT, 'the audit log is never changed');
END;
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is never shortened');
END;
"""

EARLIER_ACCOUNTS = """
INSERT INTO audit (at, act, actor_id, actor, subject_id, subject, address)
SELECT CAST(strftime('%s', 'now') AS REAL), 'email_taken_as_verified', NULL, 'upgrade', id, email, ''
FROM users WHERE email_verified_at IS NULL ORDER BY created_at, id;
UPDATE users SET email_verified_at = created_at WHERE email_verified_at IS NULL;
"""

INVITATIONS = """
CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    email TEXT,
    note TEXT NOT NULL DEFAULT '',
    most_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0,
    created_by TEXT REFERENCES users(id) ON DELETE SET NULL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    revoked_at REAL
);
CREATE INDEX invitations_by_time ON invitations(created_at);
"""

SECOND_FACTORS = """
CREATE TABLE second_factors (
    user_id TEXT PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE,
    key_id INTEGER NOT NULL,
    salt TEXT NOT NULL,
    created_at REAL NOT NULL,
    confirmed_at REAL,
    last_step INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    used_at REAL,
    PRIMARY KEY (user_id, digest)
);
"""

API_TOKENS = """
CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    digest TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL,
    last_used_at REAL,
    revoked_at REAL
);
CREATE INDEX api_tokens_by_user ON api_tokens(user_id);
"""

SCRIPTS = (AUDIT, EARLIER_ACCOUNTS, INVITATIONS, SECOND_FACTORS, API_TOKENS)
