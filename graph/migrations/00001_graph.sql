-- The other tables of the graph are made from the specs of the rooms.

-- +goose Up
CREATE TABLE graph_meta (
	name  TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
);
