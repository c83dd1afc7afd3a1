-- +goose Up
-- What forges are to be told of their commits, until they took it.
CREATE TABLE announcement (
    change    TEXT NOT NULL,
    sha       TEXT NOT NULL,
    host      TEXT NOT NULL,
    number    BIGINT NOT NULL,
    state     TEXT NOT NULL,
    title     TEXT NOT NULL,
    summary   TEXT NOT NULL,
    sent      TEXT NOT NULL DEFAULT '',
    tries     BIGINT NOT NULL DEFAULT 0,
    due       BIGINT NOT NULL,
    told      BIGINT NOT NULL DEFAULT 0,
    error     TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (change, sha)
);
CREATE INDEX announcement_due ON announcement (due);

CREATE TABLE announcement_place (
    one   BIGINT PRIMARY KEY,
    place BIGINT NOT NULL
);

-- +goose Down
DROP TABLE announcement_place;
DROP TABLE announcement;
