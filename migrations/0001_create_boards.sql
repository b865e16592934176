-- The first schema. Keys are (board, id): no unique index over ids made by clients spans boards.
-- Tables have rowids: keys that begin with a board's id would scatter a WITHOUT ROWID table.

-- Tells that a database file is ours: the letters "Bcst".
PRAGMA application_id = 1113813876;

CREATE TABLE server (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Each start of a server. `clean`: everything that was accepted in it has been written.
CREATE TABLE runs (
    id INTEGER NOT NULL PRIMARY KEY,
    started INTEGER NOT NULL,
    clean INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The view without its collections. `version`: that of all rows of the board. `run`: in which the
-- board was opened and not closed since.
CREATE TABLE boards (
    id TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL,
    version INTEGER NOT NULL,
    run INTEGER REFERENCES runs (id),
    created INTEGER NOT NULL,
    title TEXT GENERATED ALWAYS AS (json_extract(doc, '$.title')) VIRTUAL,
    archived INTEGER GENERATED ALWAYS AS (coalesce(json_extract(doc, '$.archived'), 0)) VIRTUAL
) STRICT;

-- The epochs of a board, `number` 1 is the oldest; `began` at that version.
CREATE TABLE epochs (
    board TEXT NOT NULL REFERENCES boards (id),
    number INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    began INTEGER NOT NULL,
    PRIMARY KEY (board, number)
) STRICT;

CREATE TABLE members (
    board TEXT NOT NULL REFERENCES boards (id),
    id TEXT NOT NULL,
    doc TEXT NOT NULL,
    role TEXT GENERATED ALWAYS AS (json_extract(doc, '$.role')) VIRTUAL,
    PRIMARY KEY (board, id)
) STRICT;
CREATE INDEX members_by_user ON members (id, board);

CREATE TABLE columns (
    board TEXT NOT NULL REFERENCES boards (id),
    id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (board, id)
) STRICT;

CREATE TABLE labels (
    board TEXT NOT NULL REFERENCES boards (id),
    id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (board, id)
) STRICT;

CREATE TABLE fields (
    board TEXT NOT NULL REFERENCES boards (id),
    id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (board, id)
) STRICT;

CREATE TABLE sprints (
    board TEXT NOT NULL REFERENCES boards (id),
    id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (board, id)
) STRICT;

CREATE TABLE cards (
    board TEXT NOT NULL REFERENCES boards (id),
    id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (board, id)
) STRICT;

CREATE TABLE details (
    board TEXT NOT NULL REFERENCES boards (id),
    id TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (board, id)
) STRICT;

-- Ids of deleted things: none is used again.
CREATE TABLE tombstones (
    board TEXT NOT NULL REFERENCES boards (id),
    id TEXT NOT NULL,
    PRIMARY KEY (board, id)
) STRICT;

-- Who submitted what, and what became of it (rule R4).
CREATE TABLE clients (
    board TEXT NOT NULL REFERENCES boards (id),
    client TEXT NOT NULL,
    user TEXT NOT NULL,
    last_seq INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    outcomes TEXT NOT NULL,
    PRIMARY KEY (board, client)
) STRICT;

-- The log: append-only, one row for each version. It has no other index and no foreign key,
-- because everything waits for its commit.
CREATE TABLE events (
    board TEXT NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by_user TEXT NOT NULL,
    client TEXT,
    seq INTEGER,
    body INTEGER,
    ev TEXT NOT NULL,
    was TEXT NOT NULL,
    PRIMARY KEY (board, version)
) STRICT;

-- Which versions are about a card, up to the version of the board's rows: written with them.
CREATE TABLE card_versions (
    board TEXT NOT NULL REFERENCES boards (id),
    card TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (board, card, version)
) STRICT;

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    first_seen INTEGER NOT NULL
) STRICT;

-- What the last import of a source put on its board. `ids` is a JSON array.
CREATE TABLE imports (
    source TEXT NOT NULL PRIMARY KEY,
    board TEXT NOT NULL REFERENCES boards (id),
    digest TEXT NOT NULL,
    ids TEXT NOT NULL
) STRICT;
