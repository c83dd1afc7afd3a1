-- +goose Up
-- The account of a person where it is known by one: whose it is, and the id that
-- never changes there. Names and addresses alone do not tell that two are the same.
ALTER TABLE profile ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE profile ADD COLUMN account TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE profile DROP COLUMN account;
ALTER TABLE profile DROP COLUMN host;
