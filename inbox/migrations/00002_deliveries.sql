-- +goose Up
-- What a delivery is, beside its bytes: what its sender calls it, how good the
-- evidence is that it came from there, when it was settled.
ALTER TABLE inbox ADD COLUMN event TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN grade TEXT NOT NULL DEFAULT '';
ALTER TABLE inbox ADD COLUMN settled BIGINT NOT NULL DEFAULT 0;
-- How raw lies there: 1 for compressed with zstd; and how long it is.
ALTER TABLE inbox ADD COLUMN packed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN size BIGINT NOT NULL DEFAULT 0;
CREATE INDEX inbox_source_state ON inbox (source, state, id);

-- How a source fares. The counts only grow.
CREATE TABLE inbox_source (
    source     TEXT PRIMARY KEY,
    system     TEXT NOT NULL DEFAULT '',
    accepted   BIGINT NOT NULL DEFAULT 0,
    repeated   BIGINT NOT NULL DEFAULT 0,
    turned     BIGINT NOT NULL DEFAULT 0,
    last       BIGINT NOT NULL DEFAULT 0,
    last_turned BIGINT NOT NULL DEFAULT 0
);

-- The last deliveries that were turned away at the door, a bounded number of them.
CREATE TABLE inbox_turned (
    id       BIGINT NOT NULL PRIMARY KEY,
    source   TEXT NOT NULL,
    delivery TEXT NOT NULL,
    event    TEXT NOT NULL,
    received BIGINT NOT NULL,
    size     BIGINT NOT NULL,
    raw      BYTEA,
    reason   TEXT NOT NULL
);
CREATE INDEX inbox_turned_source ON inbox_turned (source, id);

-- Who turns deliveries into facts now: one process at a time.
CREATE TABLE inbox_lease (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE inbox_lease;
DROP TABLE inbox_turned;
DROP TABLE inbox_source;
DROP INDEX inbox_source_state;
ALTER TABLE inbox DROP COLUMN size;
ALTER TABLE inbox DROP COLUMN packed;
ALTER TABLE inbox DROP COLUMN settled;
ALTER TABLE inbox DROP COLUMN grade;
ALTER TABLE inbox DROP COLUMN event;
