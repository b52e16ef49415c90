"""What strangers have chosen as passwords for addresses that had an account already: a few bits of each.

Signing in with such a password has to be answered as if the account had been made; see `streamhost.db.claims`.
"""

CLAIMS = """
CREATE TABLE claims (
    number INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    mark TEXT NOT NULL
);
CREATE INDEX claims_by_user ON claims(user_id, number);
"""

SCRIPTS = (CLAIMS,)
