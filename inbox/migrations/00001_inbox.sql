-- +goose Up
-- Spaces made before the inbox was a package of its own have the table already.
CREATE TABLE IF NOT EXISTS inbox (
    id       BIGINT NOT NULL PRIMARY KEY,
    source   TEXT NOT NULL,
    delivery TEXT NOT NULL,
    received BIGINT NOT NULL,
    raw      BYTEA,
    state    TEXT NOT NULL,
    reason   TEXT NOT NULL,
    UNIQUE (source, delivery)
);
CREATE INDEX IF NOT EXISTS inbox_state ON inbox (state, id);

-- +goose Down
DROP TABLE inbox;
