-- +goose Up
-- Of which host alone a source may speak: '' for all, '?' for the one that its first
-- signed delivery will name.
ALTER TABLE inbox_source ADD COLUMN host TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE inbox_source DROP COLUMN host;
