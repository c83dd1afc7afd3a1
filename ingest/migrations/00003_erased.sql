-- +goose Up
-- When somebody had it erased who the pseudonym stands for, in microseconds since 1970:
-- from then on nothing is remembered of it.
ALTER TABLE profile ADD COLUMN erased BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE profile DROP COLUMN erased;
