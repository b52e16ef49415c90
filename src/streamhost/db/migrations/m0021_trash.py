"""Videos in the trash (`deleted_at` has been there since the first step), and those that are to be published later."""

TRASH = """
ALTER TABLE videos ADD COLUMN deleted_by TEXT;
CREATE INDEX videos_in_the_trash ON videos(deleted_at) WHERE deleted_at IS NOT NULL;
"""

SCHEDULE = """
ALTER TABLE videos ADD COLUMN publish_at REAL;
"""

SCRIPTS = (TRASH, SCHEDULE)
