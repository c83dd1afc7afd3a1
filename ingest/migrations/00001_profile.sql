-- +goose Up
-- Who a pseudonym stands for. The only place that holds names and mail
-- addresses; erasing a person empties the row.
CREATE TABLE profile (
    ref   TEXT PRIMARY KEY,
    name  TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL DEFAULT '',
    login TEXT NOT NULL DEFAULT ''
);

-- What each source has been read up to, so that the next reading continues.
-- It is a bookmark, not evidence: losing it costs a full reading.
CREATE TABLE bookmark (
    source TEXT PRIMARY KEY,
    state  TEXT NOT NULL,
    read   BIGINT NOT NULL
);

-- What a reader keeps beside its bookmark to go on from there, piece by piece.
CREATE TABLE segment (
    source TEXT NOT NULL,
    number BIGINT NOT NULL,
    body   BYTEA NOT NULL,
    PRIMARY KEY (source, number)
);

-- +goose Down
DROP TABLE segment;
DROP TABLE bookmark;
DROP TABLE profile;
