-- +goose Up
-- The note that clients sent last about each commit. Its bytes are in the vault;
-- every one that was ever sent is there and in the ledger.
CREATE TABLE posted (
    commit_id TEXT NOT NULL PRIMARY KEY,
    digest    TEXT NOT NULL,
    number    BIGINT NOT NULL
);
CREATE INDEX posted_number ON posted (number);

-- +goose Down
DROP TABLE posted;
