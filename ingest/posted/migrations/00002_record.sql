-- +goose Up
-- Beside the notes of clients there are records of other formats, read from files. Of
-- those any number stands about a commit, each an entry named by its digest; of the
-- notes one, the entry without a name.
CREATE TABLE posted_record (
    commit_id TEXT NOT NULL,
    format    TEXT NOT NULL,
    entry     TEXT NOT NULL,
    digest    TEXT NOT NULL,
    number    BIGINT NOT NULL,
    PRIMARY KEY (commit_id, format, entry)
);
INSERT INTO posted_record (commit_id, format, entry, digest, number)
    SELECT commit_id, 'git-ai-http', '', digest, number FROM posted;
CREATE INDEX posted_record_number ON posted_record (number);
DROP TABLE posted;

-- +goose Down
CREATE TABLE posted (
    commit_id TEXT NOT NULL PRIMARY KEY,
    digest    TEXT NOT NULL,
    number    BIGINT NOT NULL
);
INSERT INTO posted (commit_id, digest, number)
    SELECT commit_id, digest, number FROM posted_record WHERE format = 'git-ai-http';
CREATE INDEX posted_number ON posted (number);
DROP TABLE posted_record;
