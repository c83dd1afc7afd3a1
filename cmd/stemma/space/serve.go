package space

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/dashboard/page"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest/deduced"
	"github.com/stemma-dev/stemma/ingest/event/system"
	"github.com/stemma-dev/stemma/policy/announce"
	"github.com/stemma-dev/stemma/query/views"
	"github.com/stemma-dev/stemma/server"
)

// Serve serves the dashboard and the log.
func Serve(a *program.App) *cobra.Command {
	var hookFlags, hostFlags []string
	judge := judgingFlags{policy: os.Getenv("STEMMA_POLICY"), url: os.Getenv("STEMMA_URL")}
	addr := os.Getenv("STEMMA_ADDR")
	if addr == "" {
		addr = "127.0.0.1:7171"
	}
	c := &cobra.Command{
		Use:   "serve",
		Short: "serve the dashboard and the log",
		Long: `Serves the dashboard, the log in C2SP tlog-tiles form (/checkpoint, /tile/…), JSON
(/api/v1/…), /metrics for Prometheus, and /healthz, /readyz. It listens on the loopback interface unless
told otherwise, and ends with an interrupt.

With a token in STEMMA_NOTES_TOKEN, or in the file that STEMMA_NOTES_TOKEN_FILE names,
it is also the notes backend of git-ai for clients that have the same as their api_key:
what they send under /worker/notes is kept, given back, and taken into account by the
next scan of the repository that has the commit.

With a token in STEMMA_RECORD_TOKEN, or in the file that STEMMA_RECORD_TOKEN_FILE names, it
takes what "stemma record" reports from pipelines that have the same in STEMMA_TOKEN, and
the OpenTelemetry traces of agents that send it as bearer token, over OTLP/HTTP at
/v1/traces: see docs/otlp.md.

It takes the webhooks of other systems at /hooks/NAME for every NAME that has a secret:
in STEMMA_HOOK_NAME_SECRET, in the file that STEMMA_HOOK_NAME_SECRET_FILE names, or in the
file of --hook NAME=FILE, a line for each secret that is valid. Names are those of
systems (` + strings.Join(system.Names(), ", ") + `), or
begin with one and a dash; another one says what it is with STEMMA_HOOK_NAME_SYSTEM, or
--hook NAME:SYSTEM=FILE. A forge speaks of one host alone: github.com, gitlab.com,
bitbucket.org or dev.azure.com, that of --hook-host NAME=HOST or STEMMA_HOOK_NAME_HOST, or
else that of its first delivery. A delivery is answered with 202 once it is durable; see
"stemma deliveries" for those that wait or went wrong.

Every change is judged as facts about it come, by the controls that --policy names: a
directory like .stemma in a repository, see docs/controls.md; else by the default pack, which
only observes. With a token that may set statuses, in the file of --status SYSTEM@HOST=FILE or in
STEMMA_STATUS_SYSTEM_TOKEN, its forge is told how each commit stands, by a status called
"stemma", which a protected branch may ask for. An alerts.yaml in the directory says who is
told when there is too much of something, see docs/alerts.md; STEMMA_SMTP names the server of
mail for that. SYSTEM is one of
` + strings.Join(announce.Systems, ", ") + `. With --url the status leads to the page of
the change. --advisories names records of OSV, a file, a directory or a zip, and --packages a file
with what registries say (see "stemma packages"): both are read again when they change, and the
changes concerned are judged again.

On an address of this machine alone, pages also take what people say about the causes of
incidents, and have dead letters read again. Elsewhere they only show.`,
		Args: program.Args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			return runServe(c.Context(), a, addr, hookFlags, hostFlags, judge)
		},
	}
	c.Flags().StringArrayVar(&hookFlags, "hook", nil, "take webhooks at /hooks/NAME, with the secret in FILE: `NAME=FILE`")
	c.Flags().StringArrayVar(&hostFlags, "hook-host", nil, "the host of which alone the source NAME may speak: `NAME=HOST`")
	c.Flags().StringVar(&judge.policy, "policy", judge.policy, "`DIRECTORY` of what changes are judged by [STEMMA_POLICY]")
	c.Flags().StringArrayVar(&judge.status, "status", nil, "tell a forge how commits stand, with the token in FILE: `SYSTEM@HOST=FILE`")
	c.Flags().StringArrayVar(&judge.feeds.advisories, "advisories", named("STEMMA_ADVISORIES"), "records of OSV, or a feed about models, read again when they change: `FILE`, directory or zip [STEMMA_ADVISORIES]")
	c.Flags().StringArrayVar(&judge.feeds.packages, "packages", named("STEMMA_PACKAGES"), "what registries say of packages, read again when it changes: `FILE` [STEMMA_PACKAGES]")
	c.Flags().StringVar(&judge.url, "url", judge.url, "address under which this server is reached [STEMMA_URL]")
	c.Flags().StringVar(&addr, "addr", addr, "address to listen on [STEMMA_ADDR]")
	return c
}

// named is what a variable names, if it is set.
func named(variable string) []string {
	if name := os.Getenv(variable); name != "" {
		return []string{name}
	}
	return nil
}

// maxSecret bounds a file that holds a secret.
const maxSecret = 4 << 10

// secret is what a variable says, or the file that its name with _FILE behind it
// names: its content without white space around it. It is "" if neither is set.
func secret(variable string) (string, error) {
	path := os.Getenv(variable + "_FILE")
	if path == "" || os.Getenv(variable) != "" {
		return os.Getenv(variable), nil
	}
	return secretFile(path, variable+"_FILE")
}

// secretFile is what a file holds, without white space around it; who names the file is
// told of in errors.
func secretFile(path, named string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", stemma.WithHint(fmt.Errorf("secret: %w", err), "give %s a file that this account can read", named)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err = errors.Join(err, f.Close()); err == nil && (len(text) > maxSecret || len(bytes.TrimSpace(text)) == 0) {
		err = errors.New("it is empty, or too long for a secret")
	}
	if err != nil {
		return "", fmt.Errorf("secret: the file that %s names: %w", named, err)
	}
	return string(bytes.TrimSpace(text)), nil
}

func runServe(ctx context.Context, a *program.App, addr string, hookFlags, hostFlags []string, flags judgingFlags) (err error) {
	list, err := endpoints(os.Environ(), hookFlags, hostFlags)
	if err != nil {
		return err
	}
	s, err := a.OpenStore(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := views.Ensure(ctx, s.DB); err != nil {
		return err
	}
	token, err := secret("STEMMA_NOTES_TOKEN")
	if err != nil {
		return err
	}
	box, err := inbox.Open(ctx, s.DB, a.Now)
	if err != nil {
		return err
	}
	recordToken, err := secret("STEMMA_RECORD_TOKEN")
	if err != nil {
		return err
	}
	name, err := holder("serve")
	if err != nil {
		return err
	}
	taken, err := openHooks(ctx, a, s, box, list, name)
	if err != nil {
		return err
	}
	judging, err := openJudging(ctx, a, s, flags, func(change stemma.Ref) string { return strings.TrimSuffix(flags.url, "/") + page.Href(change) })
	if err != nil {
		return err
	}
	h, err := server.New(ctx, server.Config{
		Space: s.Space, Now: a.Now, Log: a.Log, Addr: addr, VerifierKey: s.Key.VerifierKey(), NotesToken: token, Hooks: taken, Inbox: box,
		RecordToken: recordToken, Holder: name, Set: judging.judge.Set, Announcer: judging.ann,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	if token != "" {
		if err := a.TakeNotes(); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	var work sync.WaitGroup
	defer func() { stop(); work.Wait() }()
	if taken != nil {
		work.Go(func() { taken.Run(ctx) })
	}
	if taken != nil || recordToken != "" {
		work.Go(func() { deduced.Run(ctx, s.Space, a.Now, a.Log) })
	}
	judging.run(ctx, &work, a)
	return server.Serve(ctx, addr, h, a.Log, func(addr string) {
		fmt.Fprintf(a.Out, "stemma serves http://%s\n", addr)
	})
}
