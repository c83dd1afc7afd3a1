package space

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/cmd/stemma/terminal"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/policy/alert"
	"github.com/stemma-dev/stemma/query/views"
)

// alertsFile is where a policy says who is told of what.
const alertsFile = "alerts.yaml"

// maxAlerts bounds it; the parser refuses what is larger.
const maxAlerts = 1 << 20

// openAlerts reads the alerts of a policy and makes them ready; nil if it has none. A fault
// in them ends the program before anything is told.
func openAlerts(ctx context.Context, a *program.App, s *program.Store, dir, url string) (*alert.Alerter, error) {
	if dir == "" {
		return nil, nil
	}
	file, err := readAlerts(filepath.Join(dir, alertsFile), a.Now())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, stemma.WithHint(fmt.Errorf("the alerts: %w", err), "see docs/alerts.md")
	}
	c := alert.Config{DB: s.DB, File: file, Secrets: map[string]string{}, Now: a.Now, Log: a.Log}
	for _, r := range file.Receivers {
		if r.SecretFile == "" {
			continue
		}
		path := r.SecretFile
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if c.Secrets[r.Name], err = secretFile(path, "secret_file of the receiver "+r.Name); err != nil {
			return nil, err
		}
	}
	server, err := secret("STEMMA_SMTP")
	if err != nil {
		return nil, err
	}
	if server != "" {
		if c.Mail, err = alert.ParseServer(server); err != nil {
			return nil, err
		}
	}
	if url != "" {
		c.Link = func(kind, filter string) string { return strings.TrimSuffix(url, "/") + page.ListHref(kind, filter) }
	}
	return alert.Open(ctx, c)
}

func readAlerts(name string, now time.Time) (*alert.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(f, maxAlerts+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return alert.Parse(alertsFile, body, now)
}

// Alerts shows how rules stand, and tries whether receivers are reached.
func Alerts(a *program.App) *cobra.Command {
	dir, url, asJSON := os.Getenv("STEMMA_POLICY"), os.Getenv("STEMMA_URL"), false
	c := &cobra.Command{
		Use:   "alerts",
		Short: "show who is told of what, and how it stands now",
		Long: `Lists the rules of alerts.yaml in the directory that --policy names: what each counts and
how much that is now, whether it fires since when, and who waits to be told. It is "stemma
serve" that looks at them and tells receivers; see docs/alerts.md.

  stemma alerts --policy DIR
  stemma alerts test RULE --policy DIR    sends a test to those who would be told`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return withAlerts(c.Context(), a, dir, url, func(x *alert.Alerter) error { return listAlerts(c.Context(), a, x, asJSON) })
		},
	}
	testing := &cobra.Command{
		Use:   "test RULE|RECEIVER",
		Short: "send a test to those who are told of a rule, or to a receiver",
		Args:  program.Args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			return withAlerts(c.Context(), a, dir, url, func(x *alert.Alerter) error { return testAlert(c.Context(), a, x, args[0], asJSON) })
		},
	}
	c.PersistentFlags().StringVar(&dir, "policy", dir, "`DIRECTORY` with "+alertsFile+" [STEMMA_POLICY]")
	c.PersistentFlags().StringVar(&url, "url", url, "address under which the server is reached, for links [STEMMA_URL]")
	c.PersistentFlags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.AddCommand(testing)
	return c
}

func withAlerts(ctx context.Context, a *program.App, dir, url string, do func(*alert.Alerter) error) error {
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := views.Ensure(ctx, s.DB); err != nil {
		return err
	}
	x, err := openAlerts(ctx, a, s, dir, url)
	if err == nil && x == nil {
		err = stemma.WithHint(errors.New("alerts: there is no "+alertsFile), "name the directory that has it with --policy: see docs/alerts.md")
	}
	if err != nil {
		return err
	}
	return do(x)
}

// An alertRecord is the JSON form of how a rule stands.
type alertRecord struct {
	Name    string          `json:"name"`
	Kind    string          `json:"kind"`
	Filter  string          `json:"filter"`
	Of      *string         `json:"of,omitempty"`
	Above   *float64        `json:"above,omitempty"`
	Below   *float64        `json:"below,omitempty"`
	Value   *float64        `json:"value"` // null if it is not known
	Part    int64           `json:"part"`
	Whole   *int64          `json:"whole,omitempty"`
	Crossed bool            `json:"crossed"` // by the value now
	Firing  bool            `json:"firing"`  // as it was told
	Since   time.Time       `json:"since,omitzero"`
	Looked  time.Time       `json:"looked,omitzero"`
	To      []string        `json:"to"`
	Waiting []alert.Waiting `json:"waiting,omitempty"`
	Error   string          `json:"error,omitempty"`
}

func recordOf(s alert.Status) alertRecord {
	r := alertRecord{
		Name: s.Rule.Name, Kind: s.Rule.Kind, Filter: s.Rule.Filter, Of: s.Rule.Of, Above: s.Rule.Above, Below: s.Rule.Below, Part: s.Value.Part,
		Crossed: s.Crossed, Firing: s.Firing, Since: s.Since, Looked: s.Looked, To: s.Rule.To, Waiting: s.Waiting, Error: s.Error,
	}
	if s.Measured {
		x := s.Value.Number()
		r.Value = &x
	}
	if s.Value.Share {
		r.Whole = &s.Value.Whole
	}
	return r
}

func listAlerts(ctx context.Context, a *program.App, x *alert.Alerter, asJSON bool) error {
	list, err := x.Statuses(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		records := []alertRecord{}
		for _, s := range list {
			records = append(records, recordOf(s))
		}
		return terminal.JSON(a.Out, map[string]any{"alerts": records})
	}
	if len(list) == 0 {
		fmt.Fprintln(a.Out, "there is no rule")
		return nil
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, s := range list {
		state := "quiet"
		if s.Firing {
			state = "firing since " + s.Since.Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\tnow %s\t%s\t%s %s\tto %s\n", s.Rule.Name, state, s.Value, s.Rule.Threshold(), s.Rule.Kind, terminal.OneLine(s.Rule.Filter), strings.Join(s.Rule.To, ", "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range list {
		if s.Error != "" {
			fmt.Fprintf(a.Out, "%s could not be measured: %s\n", s.Rule.Name, terminal.OneLine(s.Error))
		}
		for _, t := range s.Waiting {
			fmt.Fprintf(a.Out, "%s waits to be told of %s, after %d tries: %s\n", t.Receiver, s.Rule.Name, t.Tries, terminal.OneLine(t.Error))
		}
	}
	return nil
}

func testAlert(ctx context.Context, a *program.App, x *alert.Alerter, name string, asJSON bool) error {
	reached, err := x.Test(ctx, name)
	if asJSON {
		return errors.Join(terminal.JSON(a.Out, map[string]any{"reached": append([]string{}, reached...)}), err)
	}
	for _, r := range reached {
		fmt.Fprintf(a.Out, "%s was told\n", r)
	}
	return err
}
