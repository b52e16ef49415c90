"""When a video was last withdrawn from others: permissions to play it given before must not come back to life.

NULL: never.
"""

WITHDRAWALS = """
ALTER TABLE videos ADD COLUMN withdrawn_at REAL;
CREATE INDEX videos_by_withdrawal ON videos(withdrawn_at) WHERE withdrawn_at IS NOT NULL;
"""

SCRIPTS = (WITHDRAWALS,)
