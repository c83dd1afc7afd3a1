-- +goose Up
CREATE TABLE fact (
    pos       BIGINT NOT NULL PRIMARY KEY,
    id        BYTEA UNIQUE,
    subject   TEXT,
    canonical BYTEA,
    salt      BYTEA,
    leaf      BYTEA NOT NULL,
    recorded  BIGINT NOT NULL,
    tombstone BIGINT
);
-- A part of the subject: a whole one can be longer than an index row may be.
CREATE INDEX fact_subject ON fact (substr(subject, 1, 500), pos);

CREATE TABLE tree (
    block  BIGINT NOT NULL PRIMARY KEY,
    hashes BYTEA NOT NULL
);

CREATE TABLE checkpoint (
    size BIGINT NOT NULL PRIMARY KEY,
    note BYTEA NOT NULL
);

CREATE TABLE cursor (
    name TEXT NOT NULL PRIMARY KEY,
    pos  BIGINT NOT NULL
);

-- +goose Down
DROP TABLE cursor;
DROP TABLE checkpoint;
DROP TABLE tree;
DROP TABLE fact;
