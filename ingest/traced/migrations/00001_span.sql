-- +goose Up
-- The spans that arrived, without what was said in them: that is here only until it is
-- known whose it is, and then in the vault under the key of its session. What is nobody's
-- is dropped when its trace is over.
CREATE TABLE trace_span (
    trace    TEXT NOT NULL,
    span     TEXT NOT NULL,
    session  TEXT NOT NULL,
    data     TEXT NOT NULL,
    asked    TEXT,
    answered TEXT,
    said     TEXT NOT NULL,
    PRIMARY KEY (trace, span)
);
CREATE INDEX trace_span_session ON trace_span (session, trace);

-- The traces that they are of: since when and until when something new came of one, and
-- when it is to be looked at, 0 if it was.
CREATE TABLE trace_state (
    trace TEXT   NOT NULL PRIMARY KEY,
    spans BIGINT NOT NULL,
    since BIGINT NOT NULL,
    last  BIGINT NOT NULL,
    due   BIGINT NOT NULL
);
CREATE INDEX trace_state_due ON trace_state (due);

-- +goose Down
DROP TABLE trace_state;
DROP TABLE trace_span;
