-- The board as it stood at `version`, from which its log is replayed: `doc` holds the whole view,
-- the details of its cards, and the ids of deleted things. Trimming the log moves it forward.
CREATE TABLE bases (
    board TEXT NOT NULL PRIMARY KEY REFERENCES boards (id),
    version INTEGER NOT NULL,
    doc TEXT NOT NULL
) STRICT;

-- What trimmed versions have changed that people see: the history of the board before the log.
CREATE TABLE activity (
    board TEXT NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by_user TEXT NOT NULL,
    client TEXT,
    seq INTEGER,
    ev TEXT NOT NULL,
    was TEXT NOT NULL,
    PRIMARY KEY (board, version)
) STRICT;

-- Boards that exist already begin at what their rows show.
INSERT INTO bases (board, version, doc)
SELECT b.id, b.version, json_object(
    'view', json_set(b.doc,
        '$.members', json((SELECT json_group_array(json(doc) ORDER BY id) FROM members WHERE board = b.id)),
        '$.columns', json((SELECT json_group_array(json(doc) ORDER BY id) FROM columns WHERE board = b.id)),
        '$.labels', json((SELECT json_group_array(json(doc) ORDER BY id) FROM labels WHERE board = b.id)),
        '$.fields', json((SELECT json_group_array(json(doc) ORDER BY id) FROM fields WHERE board = b.id)),
        '$.sprints', json((SELECT json_group_array(json(doc) ORDER BY id) FROM sprints WHERE board = b.id)),
        '$.cards', json((SELECT json_group_array(json(doc) ORDER BY id) FROM cards WHERE board = b.id))),
    'details', json((SELECT json_group_object(id, json(doc)) FROM details WHERE board = b.id)),
    'buried', json((SELECT json_group_array(id ORDER BY id) FROM tombstones WHERE board = b.id)))
FROM boards AS b;
