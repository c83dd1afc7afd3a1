-- +goose Up
-- One key for each owner of bodies, encrypted under the space key; NULL after erasure.
CREATE TABLE data_key (
    owner   TEXT NOT NULL PRIMARY KEY,
    wrapped BYTEA
);

-- What each owner has, so that its blobs can be found and deleted.
CREATE TABLE body (
    owner  TEXT   NOT NULL,
    digest BYTEA  NOT NULL,
    size   BIGINT NOT NULL,
    PRIMARY KEY (owner, digest)
);
