package space

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/cmd/stemma/program"
	"github.com/stemma-dev/stemma/inbox"
	"github.com/stemma-dev/stemma/ingest/event/system"
	"github.com/stemma-dev/stemma/ingest/hooks"
)

// Variables that open an address for webhooks: STEMMA_HOOK_GITHUB_SECRET is the secret
// of /hooks/github, STEMMA_HOOK_GITHUB_EU_SYSTEM=github says what /hooks/github-eu is,
// STEMMA_HOOK_GITHUB_EU_HOST of which host alone it may speak.
const (
	hookPrefix = "STEMMA_HOOK_"
	hookSecret = "_SECRET"
	hookFile   = "_SECRET_FILE"
	hookSystem = "_SYSTEM"
	hookHost   = "_HOST"
)

// endpoints are the sources of webhooks that the environment and the flags name. A flag
// is NAME=FILE or NAME:SYSTEM=FILE, where the file holds the secret; one of hosts is
// NAME=HOST.
func endpoints(environ, flags, hosts []string) ([]hooks.Endpoint, error) {
	found := map[string]hooks.Endpoint{}
	env := map[string]string{}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	for name := range env {
		rest, ok := strings.CutPrefix(name, hookPrefix)
		base, isFile := strings.CutSuffix(rest, hookFile)
		if !isFile {
			base, ok = strings.CutSuffix(rest, hookSecret)
		}
		if !ok || base == "" || !strings.HasPrefix(name, hookPrefix) || env[name] == "" {
			continue
		}
		text, err := secret(hookPrefix + base + hookSecret)
		if err != nil {
			return nil, err
		}
		name = strings.ReplaceAll(strings.ToLower(base), "_", "-")
		found[name] = hooks.Endpoint{Name: name, System: cmp.Or(env[hookPrefix+base+hookSystem], systemOf(name)), Secrets: secrets([]byte(text))}
	}
	for _, flag := range flags {
		e, err := hookFlag(flag)
		if err != nil {
			return nil, err
		}
		if _, twice := found[e.Name]; twice {
			return nil, program.Usage(nil, fmt.Errorf("the source %s is given twice", e.Name))
		}
		found[e.Name] = e
	}
	for _, flag := range hosts {
		name, host, ok := strings.Cut(flag, "=")
		if _, known := found[name]; !ok || host == "" || !known {
			return nil, program.Usage(nil, fmt.Errorf("--hook-host %.100q is not NAME=HOST, where NAME is a source that has a secret", flag))
		}
		env[variable(name)+hookHost] = host
	}
	var list []hooks.Endpoint
	addresses := map[string]string{}
	for _, e := range found {
		if host := env[variable(e.Name)+hookHost]; host != "" {
			e.Host = hostOf(host)
			if other, taken := addresses[e.Host]; taken && other != host {
				return nil, stemma.WithHint(fmt.Errorf("hooks: %.100q and %.100q are told apart by nothing but a port or a path", min(host, other), max(host, other)),
					"repositories are known by the name of their host: give each forge a name of its own, or write the same address twice if it is one")
			}
			addresses[e.Host] = host
		}
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b hooks.Endpoint) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// variable begins the variables of a source.
func variable(name string) string {
	return hookPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// systemOf is the system that an address is named after: github-eu is one of github.
func systemOf(name string) string {
	if _, ok := system.Find(name); ok {
		return name
	}
	for _, s := range system.Names() {
		if strings.HasPrefix(name, s+"-") {
			return s
		}
	}
	return name
}

func hookFlag(flag string) (hooks.Endpoint, error) {
	name, path, ok := strings.Cut(flag, "=")
	if !ok || name == "" || path == "" {
		return hooks.Endpoint{}, program.Usage(nil, fmt.Errorf("--hook %.100q is not NAME=FILE or NAME:SYSTEM=FILE", flag))
	}
	e := hooks.Endpoint{Name: name, System: systemOf(name)}
	if short, of, ok := strings.Cut(name, ":"); ok {
		e.Name, e.System = short, of
	}
	text, err := secretFile(path, "--hook "+name)
	if err != nil {
		return e, fmt.Errorf("source %s: %w", e.Name, err)
	}
	e.Secrets = secrets([]byte(text))
	return e, nil
}

// secrets are the lines of a text that say something: a new secret is added before the
// old one goes.
func secrets(text []byte) [][]byte {
	var list [][]byte
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			list = append(list, line)
		}
	}
	return list
}

// openHooks opens what receives webhooks; nil if no source is named.
func openHooks(ctx context.Context, a *program.App, s *program.Store, box *inbox.Inbox, list []hooks.Endpoint, holder string) (*hooks.Hooks, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return hooks.Open(ctx, hooks.Config{Space: s.Space, Inbox: box, Now: a.Now, Log: a.Log, Endpoints: list, Holder: holder})
}

// holder names this process, of a verb, among those that settle deliveries.
func holder(verb string) (string, error) {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s-%d-%s", verb, os.Getpid(), hex.EncodeToString(id[:])), nil
}
