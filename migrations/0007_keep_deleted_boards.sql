-- Boards in the bin: since when, and who put them there. Both are NULL for a board that is in use.
-- `deleted` is 0 for a board whose rows are being removed for good: it does not come back.
ALTER TABLE boards ADD COLUMN deleted INTEGER;
ALTER TABLE boards ADD COLUMN deleted_by TEXT;
CREATE INDEX boards_in_bin ON boards (deleted, id) WHERE deleted IS NOT NULL;

-- What refers to a board is found when it is removed.
CREATE INDEX imports_by_board ON imports (board);
