-- +goose Up
-- How many changes stand how, summed up as verdicts come. All of it is derived from the
-- log and may be emptied: then it is counted anew.
CREATE TABLE tally_place (
    one   BIGINT PRIMARY KEY,
    place BIGINT NOT NULL
);

-- What was counted of one change, to be taken away when it is judged again.
CREATE TABLE tally_counted (
    assessment TEXT PRIMARY KEY,
    repository TEXT NOT NULL,
    day        BIGINT NOT NULL,
    states     TEXT NOT NULL
);

CREATE TABLE tally_repository (
    repository TEXT NOT NULL,
    control    TEXT NOT NULL,
    state      TEXT NOT NULL,
    n          BIGINT NOT NULL,
    PRIMARY KEY (repository, control, state)
);

-- Days since 1970 on which changes were merged; 0 for those that are open. The control *
-- stands for all of them.
CREATE TABLE tally_day (
    control TEXT NOT NULL,
    day     BIGINT NOT NULL,
    state   TEXT NOT NULL,
    n       BIGINT NOT NULL,
    PRIMARY KEY (control, day, state)
);

-- +goose Down
DROP TABLE tally_day;
DROP TABLE tally_repository;
DROP TABLE tally_counted;
DROP TABLE tally_place;
