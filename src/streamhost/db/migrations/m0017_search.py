"""Words that typing errors are put right to: those of titles and tags, in how many videos each is, and their trigrams.

The triggers write down which words came and went, in the transaction of the change; a task of the server counts them.
"""

CHANGES = """
CREATE TABLE search_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    by INTEGER NOT NULL,
    text TEXT NOT NULL
);
INSERT INTO search_changes (by, text) SELECT 1, title || ' ' || tags FROM videos;
CREATE TRIGGER search_changes_insert AFTER INSERT ON videos BEGIN
    INSERT INTO search_changes (by, text) VALUES (1, new.title || ' ' || new.tags);
END;
CREATE TRIGGER search_changes_delete AFTER DELETE ON videos BEGIN
    INSERT INTO search_changes (by, text) VALUES (-1, old.title || ' ' || old.tags);
END;
CREATE TRIGGER search_changes_update AFTER UPDATE OF title, tags ON videos
WHEN old.title <> new.title OR old.tags <> new.tags BEGIN
    INSERT INTO search_changes (by, text) VALUES (-1, old.title || ' ' || old.tags);
    INSERT INTO search_changes (by, text) VALUES (1, new.title || ' ' || new.tags);
END;
"""

WORDS = """
CREATE TABLE search_words (
    number INTEGER PRIMARY KEY,
    word TEXT NOT NULL UNIQUE,
    videos INTEGER NOT NULL
);
CREATE VIRTUAL TABLE search_words_fts USING fts5(padded, content='', tokenize='trigram', detail='none');
"""

SCRIPTS = (CHANGES, WORDS)
