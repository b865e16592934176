-- Where the cards of a board lie in the index: its ids are those whose upper 31 bits are `number`.
CREATE TABLE indexed_boards (
    number INTEGER NOT NULL PRIMARY KEY,
    board TEXT NOT NULL UNIQUE REFERENCES boards (id)
) STRICT;

-- The cards that are in the index. `digest`: of all that the index holds of the card.
CREATE TABLE indexed_cards (
    id INTEGER NOT NULL PRIMARY KEY,
    board TEXT NOT NULL REFERENCES boards (id),
    card TEXT NOT NULL,
    digest INTEGER NOT NULL,
    UNIQUE (board, card)
) STRICT;

-- The tokens of the cards' texts, taken apart by the program, and in `terms` what filters ask for. It
-- is written with the rows; what is missing in it is added at the start of the program.
CREATE VIRTUAL TABLE card_index USING fts5 (
    title,
    checklists,
    description,
    comments,
    terms,
    content = '',
    contentless_delete = 1,
    tokenize = "ascii tokenchars '-_'"
);
