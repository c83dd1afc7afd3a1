package inbox

import (
	"context"
	"fmt"

	"github.com/stemma-dev/stemma/storage"
)

// Unlearnt stands for the host that the first signed delivery of a source will name.
const Unlearnt = "?"

// A Source is one that was registered.
type Source struct {
	System string // what it is
	Host   string // of which alone it may speak; "" for all, or Unlearnt
}

// Register says that a source exists and what it is, so that one that sends nothing
// shows.
func (b *Inbox) Register(ctx context.Context, source, system string) error {
	return b.tell(ctx, source, `INSERT INTO inbox_source (source, system) VALUES ($1, $2)
		ON CONFLICT (source) DO UPDATE SET system = excluded.system`, system)
}

// Bind says of which host alone a source may speak. Unlearnt takes nothing back that was
// said or learnt before.
func (b *Inbox) Bind(ctx context.Context, source, host string) error {
	return b.tell(ctx, source, `UPDATE inbox_source SET host = $2 WHERE source = $1 AND ($2 <> '?' OR host = '')`, host)
}

// Learn binds a source to a host, if it is still to be learnt.
func (b *Inbox) Learn(ctx context.Context, source, host string) error {
	return b.tell(ctx, source, `UPDATE inbox_source SET host = $2 WHERE source = $1 AND host = '?'`, host)
}

func (b *Inbox) tell(ctx context.Context, source, query, what string) error {
	err := b.db.Write(ctx, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, query, source, what)
		return err
	})
	if err != nil {
		return fmt.Errorf("inbox: source %s: %w", source, err)
	}
	return nil
}

// Sources are those that were registered, by their names.
func (b *Inbox) Sources(ctx context.Context) (map[string]Source, error) {
	sources := map[string]Source{}
	err := b.db.Each(ctx, func(scan func(...any) error) error {
		var name string
		var s Source
		err := scan(&name, &s.System, &s.Host)
		sources[name] = s
		return err
	}, "SELECT source, system, host FROM inbox_source WHERE system <> ''")
	if err != nil {
		return nil, fmt.Errorf("inbox: sources: %w", err)
	}
	return sources, nil
}
