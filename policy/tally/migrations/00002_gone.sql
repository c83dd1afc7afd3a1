-- +goose Up
-- The verdicts on changes that a force push took off their branch: they are in no sum. What
-- was counted before this was known is counted anew.
CREATE TABLE tally_gone (
    assessment TEXT PRIMARY KEY
);
DELETE FROM tally_place;
DELETE FROM tally_counted;
DELETE FROM tally_repository;
DELETE FROM tally_day;

-- +goose Down
DROP TABLE tally_gone;
