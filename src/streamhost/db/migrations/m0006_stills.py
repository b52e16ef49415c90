"""What was taken out of a video's pictures while a package was made, and the posters that creators chose.

`facts` is the JSON text of `model.stills.Stills`. A row of `posters` says that the owner chose: `set_id` is the stored
set in which the picture lies, `at` the time of the candidate in seconds, NULL for a picture that was sent.
"""

STILLS = """
CREATE TABLE stills (
    package_id TEXT PRIMARY KEY REFERENCES packages(id) ON DELETE CASCADE,
    facts TEXT NOT NULL
);
"""

POSTERS = """
CREATE TABLE posters (
    video_id TEXT PRIMARY KEY REFERENCES videos(id) ON DELETE CASCADE,
    set_id TEXT NOT NULL,
    at REAL,
    chosen_at REAL NOT NULL
);
"""

SCRIPTS = (STILLS, POSTERS)
