-- Programs: a bot has no address and no password. Its `email` is empty, its `email_key` is its user,
-- which holds no @ and so is nobody's address.
ALTER TABLE accounts ADD COLUMN bot INTEGER NOT NULL DEFAULT 0;

-- Tokens for programs. `secret` is the SHA-256 of the token. `boards` is a JSON array, and NULL for
-- all boards. `used`: to within a few minutes, NULL for never.
CREATE TABLE tokens (
    id INTEGER NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL UNIQUE,
    user TEXT NOT NULL REFERENCES accounts (user),
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    boards TEXT,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    used INTEGER
) STRICT;
CREATE INDEX tokens_by_user ON tokens (user, created);
CREATE INDEX tokens_by_end ON tokens (expires);

-- Invitations to boards, and public links to them. `secret` is the SHA-256 of the text. `role` is what
-- an invitation gives and `uses` how many may still accept it; both are NULL for a public link.
-- `expires` is NULL for a link that works until it is revoked.
CREATE TABLE board_links (
    id INTEGER NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL UNIQUE,
    board TEXT NOT NULL REFERENCES boards (id),
    role TEXT,
    uses INTEGER,
    made_by TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER
) STRICT;
CREATE INDEX board_links_by_board ON board_links (board, created);
CREATE INDEX board_links_by_end ON board_links (expires);

-- What was done about accounts, rights and the server as a whole: who did it (NULL for nobody who is
-- known), from which address (NULL for a shell on the machine, and for the server itself), and which
-- user or board it is about. `detail` is a JSON object. Rows are appended, and end by age and count.
CREATE TABLE audit (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    act TEXT NOT NULL,
    by_user TEXT,
    address TEXT,
    about_user TEXT,
    board TEXT,
    detail TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_time ON audit (at);
CREATE INDEX audit_by_act ON audit (act, id);
CREATE INDEX audit_by_author ON audit (by_user, id);
CREATE INDEX audit_by_user ON audit (about_user, id);
CREATE INDEX audit_by_board ON audit (board, id);

CREATE TRIGGER audit_is_appended BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE (ABORT, 'the audit log is append-only');
END;
