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
