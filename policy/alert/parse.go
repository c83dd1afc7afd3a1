package alert

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/query"
)

// A File is what an organisation wants to be told.
type File struct {
	Place      string      `yaml:"-"`
	Receivers  []*Receiver `yaml:"receivers"`
	Rules      []*Rule     `yaml:"rules"`
	Exceptions []string    `yaml:"exceptions"` // names of receivers of reminders

	lines policy.Lines
}

// A Receiver is who is told: by a webhook or by mail.
type Receiver struct {
	Name       string   `yaml:"name"`
	Webhook    string   `yaml:"webhook"`     // address
	SecretFile string   `yaml:"secret_file"` // what bodies are signed with
	Mail       []string `yaml:"mail"`        // addresses
}

// Bounds of a file, and what is usual.
const (
	maxRules     = 200
	maxReceivers = 50
	maxMails     = 50
	leastEvery   = time.Minute
	usualEvery   = 5 * time.Minute
	usualRemind  = 24 * time.Hour
	mostEvery    = 31 * 24 * time.Hour
	mostNumber   = 1 << 40
)

var nameRule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`) })

// Parse reads a file and checks all of it: receivers, filters against their kinds, names
// against each other. Relative times of filters count from now. All faults are told, each
// with its line.
func Parse(place string, body []byte, now time.Time) (*File, error) {
	f := &File{Place: place}
	seen := false
	err := policy.Documents(place, body, func(dec *yaml.Decoder, at policy.Lines) error {
		if seen {
			return &policy.Fault{Place: place, Line: at[""], Why: "alerts are one document"}
		}
		seen, f.lines = true, at
		return dec.Decode(f)
	})
	if err != nil {
		return nil, err
	}
	if err := f.check(now); err != nil {
		return nil, err
	}
	return f, nil
}

// faults are gathered with their places.
type faults struct {
	f    *File
	list []error
}

// add tells of a fault at the first of some paths that is there.
func (x *faults) add(name string, paths []string, format string, args ...any) {
	line := 0
	for _, p := range paths {
		if line = x.f.lines[p]; line > 0 {
			break
		}
	}
	x.list = append(x.list, &policy.Fault{Place: x.f.Place, Line: line, Control: name, Why: fmt.Sprintf(format, args...)})
}

func (f *File) check(now time.Time) error {
	x := &faults{f: f}
	if len(f.Rules) > maxRules {
		x.add("", []string{"rules"}, "there are more than %d rules", maxRules)
	}
	if len(f.Receivers) > maxReceivers {
		x.add("", []string{"receivers"}, "there are more than %d receivers", maxReceivers)
	}
	if len(x.list) > 0 {
		return errors.Join(x.list...)
	}
	receivers, rules := map[string]bool{}, map[string]bool{builtIn: true}
	for i, r := range f.Receivers {
		f.checkReceiver(x, fmt.Sprintf("receivers.%d", i), r, receivers)
	}
	for i, r := range f.Rules {
		f.checkRule(x, fmt.Sprintf("rules.%d", i), r, rules, now)
		if r != nil {
			f.checkTo(x, r.Name, fmt.Sprintf("rules.%d", i), "to", r.To, receivers)
			if len(r.To) == 0 {
				x.add(show(r.Name), []string{fmt.Sprintf("rules.%d", i)}, "nobody is told: name receivers in \"to\"")
			}
		}
	}
	f.checkTo(x, "", "", "exceptions", f.Exceptions, receivers)
	return errors.Join(x.list...)
}

// show is a name that is fit to be shown.
func show(name string) string {
	if nameRule().MatchString(name) {
		return name
	}
	return ""
}

func (f *File) checkTo(x *faults, name, below, member string, to []string, known map[string]bool) {
	at := strings.TrimPrefix(below+"."+member, ".")
	seen := map[string]bool{}
	for i, t := range to {
		if !known[t] {
			x.add(show(name), []string{fmt.Sprintf("%s.%d", at, i), at}, "there is no receiver %.60q", t)
		}
		if seen[t] {
			x.add(show(name), []string{fmt.Sprintf("%s.%d", at, i), at}, "the receiver %.60q is named twice", t)
		}
		seen[t] = true
	}
}

// named checks the name of a rule or a receiver.
func named(x *faults, at, name string, seen map[string]bool) {
	switch {
	case !nameRule().MatchString(name):
		x.add("", []string{at + ".name", at}, "the name %.60q is not one: small letters, digits and dashes, at most 60", name)
	case name == builtIn && seen[name]:
		x.add("", []string{at + ".name", at}, "the name %s is taken by the reminders of exceptions", name)
	case seen[name]:
		x.add("", []string{at + ".name", at}, "the name %s is given twice", name)
	}
	seen[name] = true
}

func (f *File) checkReceiver(x *faults, at string, r *Receiver, seen map[string]bool) {
	if r == nil {
		x.add("", []string{at}, "this is no receiver")
		return
	}
	named(x, at, r.Name, seen)
	wrong := func(member, format string, args ...any) {
		x.add(show(r.Name), []string{at + "." + member, at}, format, args...)
	}
	switch {
	case (r.Webhook == "") == (len(r.Mail) == 0):
		wrong("webhook", "a receiver has either a webhook or addresses of mail")
	case r.Webhook != "":
		if err := checkAddress(r.Webhook); err != nil {
			wrong("webhook", "%v", err)
		}
	case r.SecretFile != "":
		wrong("secret_file", "mail is not signed: a secret is for a webhook")
	case len(r.Mail) > maxMails:
		wrong("mail", "there are more than %d addresses", maxMails)
	}
	for i, m := range r.Mail {
		a, err := mail.ParseAddress(m)
		if err != nil || len(m) > 320 || a.Address != m || strings.ContainsFunc(m, func(c rune) bool { return c <= ' ' || c > '~' }) {
			wrong(fmt.Sprintf("mail.%d", i), "%.60q is no address: write it as NAME@HOST, in ASCII and without a name before it", m)
		}
	}
}

// checkAddress refuses what is not reached by https, but on this machine. What it says
// does not repeat the address, which may hold a secret.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "":
		return errors.New("this is no address of a webhook: write it as https://HOST/PATH, and what it is signed with in a file")
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return errors.New("the webhook is not reached by https: anybody on the way could read and change what it is told")
	}
	return nil
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

func (f *File) checkRule(x *faults, at string, r *Rule, seen map[string]bool, now time.Time) {
	if r == nil {
		x.add("", []string{at}, "this is no rule")
		return
	}
	named(x, at, r.Name, seen)
	wrong := func(member, format string, args ...any) {
		x.add(show(r.Name), []string{at + "." + member, at}, format, args...)
	}
	if r.Every == 0 {
		r.Every = usualEvery
	}
	if r.Remind == 0 {
		r.Remind = usualRemind
	}
	if r.Every < leastEvery || r.Every > mostEvery {
		wrong("every", "every %s is not from %s to %s: write it as 5m", r.Every, leastEvery, mostEvery)
	}
	if r.Remind < r.Every || r.Remind > mostEvery {
		wrong("remind", "remind %s is not from %s, how often it is looked at, to %s: write it as 24h", r.Remind, r.Every, mostEvery)
	}
	r.checkThreshold(wrong)
	r.checkFilters(wrong, now)
}

func (r *Rule) checkThreshold(wrong func(member, format string, args ...any)) {
	member, threshold := "above", r.Above
	if r.Above == nil {
		member, threshold = "below", r.Below
	}
	if (r.Above == nil) == (r.Below == nil) {
		wrong("above", "a rule has either \"above\" or \"below\", a number")
		return
	}
	x, most, step := *threshold, float64(mostNumber), 1.0
	if r.Of != nil {
		most, step = 100, 10
	}
	switch {
	case !(x >= 0 && x <= most): // which is so of what is no number
		wrong(member, "%s %v is not from 0 to %v", member, x, most)
	case math.Abs(x*step-math.Round(x*step)) > 1e-9:
		wrong(member, "%s %v is finer than what is counted: whole numbers, or percent with one decimal", member, x)
	case member == "below" && x == 0, member == "above" && r.Of != nil && x == 100:
		wrong(member, "nothing is ever %s %v", member, x)
	}
}

func (r *Rule) checkFilters(wrong func(member, format string, args ...any), now time.Time) {
	check := func(member, text string) bool {
		_, err := query.Parse(r.Kind, text, now)
		if err != nil {
			wrong(member, "%s: %s", member, strings.TrimPrefix(err.Error(), "query: "))
		}
		return err == nil
	}
	if query.Fields(r.Kind) == nil {
		check("kind", "")
		return
	}
	if !check("filter", r.Filter) || r.Of != nil && !check("of", *r.Of) {
		return
	}
	if _, _, err := r.questions(now); err != nil {
		wrong("filter", "filter and of do not go together: %s", strings.TrimPrefix(err.Error(), "query: "))
	}
}
