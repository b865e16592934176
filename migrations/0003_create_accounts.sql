-- People who sign in at this server. `email_key` is what tells addresses apart: the address in lower
-- case. `password` is a PHC string, and NULL until a link has set one.
CREATE TABLE accounts (
    user TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL UNIQUE,
    password TEXT,
    admin INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX accounts_by_standing ON accounts (disabled, admin);

-- Browsers that are signed in. `secret` is the SHA-256 of what the cookie holds.
CREATE TABLE sessions (
    id INTEGER NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL UNIQUE,
    user TEXT NOT NULL REFERENCES accounts (user),
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    agent TEXT NOT NULL,
    address TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user, created);
CREATE INDEX sessions_by_end ON sessions (expires);

-- Links that work once. `purpose` is `first_start`, which is for nobody yet, or `password`.
CREATE TABLE links (
    secret BLOB NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    user TEXT REFERENCES accounts (user),
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX links_by_purpose ON links (purpose, user);
CREATE INDEX links_by_end ON links (expires);
