-- +goose Up
-- How each rule stands.
CREATE TABLE alert_rule (
    name   TEXT PRIMARY KEY,
    turn   BIGINT NOT NULL DEFAULT 0,
    due    BIGINT NOT NULL DEFAULT 0,
    looked BIGINT NOT NULL DEFAULT 0,
    since  BIGINT NOT NULL DEFAULT 0,
    told   BIGINT NOT NULL DEFAULT 0,
    known  TEXT NOT NULL DEFAULT '',
    error  TEXT NOT NULL DEFAULT ''
);

-- The last that each receiver is to be told of a rule, until it took it.
CREATE TABLE alert_message (
    rule     TEXT NOT NULL,
    receiver TEXT NOT NULL,
    serial   BIGINT NOT NULL DEFAULT 0,
    body     TEXT NOT NULL,
    tries    BIGINT NOT NULL DEFAULT 0,
    due      BIGINT NOT NULL,
    sent     BIGINT NOT NULL DEFAULT 0,
    error    TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (rule, receiver)
);
CREATE INDEX alert_message_due ON alert_message (receiver, due);

-- +goose Down
DROP TABLE alert_message;
DROP TABLE alert_rule;
