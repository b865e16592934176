-- Files of attachments, by the SHA-256 of their bytes, which are in the store beside the database.
CREATE TABLE files (
    hash BLOB NOT NULL PRIMARY KEY,
    bytes INTEGER NOT NULL,
    mime TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

-- Which attachment is which file. A row comes before its attachment is on the board and stays for a
-- while when it is no longer there: `gone` is when that was first seen, NULL before. There is no
-- foreign key to the board, so that the rows of a deleted one end in the same way.
CREATE TABLE attachments (
    board TEXT NOT NULL,
    attachment TEXT NOT NULL,
    card TEXT NOT NULL,
    hash BLOB NOT NULL REFERENCES files (hash),
    bytes INTEGER NOT NULL,
    gone INTEGER,
    PRIMARY KEY (board, attachment)
) STRICT;
CREATE INDEX attachments_by_file ON attachments (hash);
CREATE INDEX attachments_by_size ON attachments (board, bytes);

-- How many files there are and their bytes, one row.
CREATE TABLE file_totals (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
INSERT INTO file_totals (id, files, bytes) VALUES (1, 0, 0);

CREATE TRIGGER files_are_counted AFTER INSERT ON files
BEGIN
    UPDATE file_totals SET files = files + 1, bytes = bytes + new.bytes WHERE id = 1;
END;
CREATE TRIGGER files_are_discounted AFTER DELETE ON files
BEGIN
    UPDATE file_totals SET files = files - 1, bytes = bytes - old.bytes WHERE id = 1;
END;
