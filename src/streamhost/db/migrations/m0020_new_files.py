"""New files that are looked at before they take an old one's place: what was found of them, and what was decided.

What models found belongs to a packaged set and goes with it, so that of a video with a new file two are known at once.
`verdicts.new_file` is 1 while a verdict is about a file that has not taken the other's place (yet).
"""

SCREENINGS = """
CREATE TABLE screenings_of_packages (
    package_id TEXT PRIMARY KEY REFERENCES packages(id) ON DELETE CASCADE,
    video_id TEXT NOT NULL REFERENCES videos(id) ON DELETE CASCADE,
    mark TEXT NOT NULL,
    models TEXT NOT NULL,
    concerned TEXT NOT NULL,
    findings TEXT NOT NULL,
    screened_at REAL NOT NULL
);
INSERT INTO screenings_of_packages (package_id, video_id, mark, models, concerned, findings, screened_at)
    SELECT screenings.package_id, screenings.video_id, mark, models, concerned, findings, screened_at
    FROM screenings JOIN packages ON packages.id = screenings.package_id;
DROP TABLE screenings;
ALTER TABLE screenings_of_packages RENAME TO screenings;
CREATE INDEX screenings_by_video ON screenings(video_id);
"""

NEW_FILES = """
ALTER TABLE verdicts ADD COLUMN new_file INTEGER NOT NULL DEFAULT 0;
ALTER TABLE replacements ADD COLUMN width INTEGER;
ALTER TABLE replacements ADD COLUMN duration REAL;
"""

SCRIPTS = (SCREENINGS, NEW_FILES)
