package alert_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/policy"
	"github.com/stemma-dev/stemma/policy/alert"
)

const whole = `exceptions: [team]
receivers:
  - name: team
    webhook: https://chat.acme.example/hooks/x
    secret_file: hook.secret
  - name: security
    mail: [security@acme.example]
rules:
  - name: held
    kind: changes
    filter: 'blocked:true merged:>-7d'
    above: 5
    to: [team, security]
  - name: reviewed
    kind: findings
    filter: state:pass
    of: control:REV-01 merged:>-30d
    below: 97.5
    every: 1h
    remind: 48h
    to: [security]
`

func TestAlertsAreReadWithWhatIsUsual(t *testing.T) {
	f, err := alert.Parse("alerts.yaml", []byte(whole), noon)
	if err != nil {
		t.Fatal(err)
	}
	held, reviewed := f.Rules[0], f.Rules[1]
	if held.Every != 5*time.Minute || held.Remind != 24*time.Hour || reviewed.Every != time.Hour || reviewed.Remind != 48*time.Hour {
		t.Errorf("%+v %+v", held, reviewed)
	}
	if held.Threshold() != "above 5" || reviewed.Threshold() != "below 97.5 %" || len(f.Receivers) != 2 || !slices.Equal(f.Exceptions, []string{"team"}) {
		t.Errorf("%s, %s, %+v", held.Threshold(), reviewed.Threshold(), f)
	}
	if f, err := alert.Parse("alerts.yaml", nil, noon); err != nil || len(f.Rules) > 0 {
		t.Errorf("an empty file: %+v %v", f, err)
	}
}

func TestEveryFaultOfAlertsIsToldWithItsLine(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"blocked:true", "blockd:true", "alerts.yaml:11: held: filter: at column 1: unknown field blockd: did you mean blocked?"},
		{"kind: changes", "kind: change", "alerts.yaml:10: held: kind: unknown kind change: did you mean changes?"},
		{"of: control:REV-01", "of: limit:3", "alerts.yaml:16: reviewed: filter and of do not go together"},
		{"of: control:REV-01", "of: -", "alerts.yaml:17: "},
		{"filter: state:pass", "filter: 'state:pass) OR (a'", "alerts.yaml:16: reviewed: filter: at column 11: this ) closes nothing"},
		{"above: 5", "below: 5\n    above: 5", "alerts.yaml:13: held: a rule has either"},
		{"    above: 5\n", "", "alerts.yaml:9: held: a rule has either"},
		{"above: 5", "above: 5.5", "alerts.yaml:12: held: above 5.5 is finer"},
		{"above: 5", "above: -1", "alerts.yaml:12: held: above -1 is not from 0"},
		{"above: 5", "above: .nan", "alerts.yaml:12: held: above NaN is not from 0"},
		{"above: 5", "below: 0", "alerts.yaml:12: held: nothing is ever below 0"},
		{"below: 97.5", "above: 100", "alerts.yaml:18: reviewed: nothing is ever above 100"},
		{"below: 97.5", "below: 101", "alerts.yaml:18: reviewed: below 101 is not from 0 to 100"},
		{"below: 97.5", "below: 97.55", "alerts.yaml:18: reviewed: below 97.55 is finer"},
		{"every: 1h", "every: 59s", "alerts.yaml:19: reviewed: every 59s is not from 1m0s"},
		{"every: 1h", "every: 5", "alerts.yaml:19: cannot unmarshal !!int `5`, where Duration is needed"},
		{"every: 1h", "every: often", "alerts.yaml:19: "},
		{"remind: 48h", "remind: 30m", "alerts.yaml:20: reviewed: remind 30m0s is not from 1h0m0s"},
		{"to: [security]", "to: [nobody]", `alerts.yaml:21: reviewed: there is no receiver "nobody"`},
		{"to: [security]", "to: [security, security]", "is named twice"},
		{"to: [security]", "to: []", "alerts.yaml:14: reviewed: nobody is told"},
		{"exceptions: [team]", "exceptions: [teem]", `alerts.yaml:1: there is no receiver "teem"`},
		{"name: held", "name: reviewed", "alerts.yaml:14: the name reviewed is given twice"},
		{"name: held", "name: exceptions", "alerts.yaml:9: the name exceptions is taken"},
		{"name: held", `name: "a\r\nBcc: x"`, "alerts.yaml:9: the name \"a\\r\\nBcc: x\" is not one"},
		{"https://chat", "http://chat", "alerts.yaml:4: team: the webhook is not reached by https"},
		{"https://chat", "https://user:pw@chat", "alerts.yaml:4: team: this is no address of a webhook"},
		{"https://chat.acme.example/hooks/x", "file:///etc/passwd", "alerts.yaml:4: team: this is no address of a webhook"},
		{"    webhook: https://chat.acme.example/hooks/x\n", "", "alerts.yaml:3: team: a receiver has either a webhook or addresses"},
		{"mail: [security@acme.example]", "mail: ['a@acme.example, b@acme.example']", "alerts.yaml:7: security: \"a@acme.example, b@acme.example\" is no address"},
		{"mail: [security@acme.example]", `mail: ["a@acme.example\r\nBcc: b@acme.example"]`, "is no address"},
		{"mail: [security@acme.example]", "mail: ['Ada <a@acme.example>']", "is no address"},
		{"mail: [security@acme.example]", "mail: [a@acme.example]\n    secret_file: x", "alerts.yaml:8: security: mail is not signed"},
		{"kind: changes", "kind: changes\n    colour: red", `alerts.yaml:11: there is no member "colour"`},
		{"rules:\n", "rules:\n  -\n", "alerts.yaml:9: this is no rule"},
		{"exceptions: [team]\n", "exceptions: &a [team]\n", "anchors and aliases"},
		{"exceptions: [team]\n", "exceptions: [team]\n---\n", "alerts are one document"},
		{"rules:\n", "rules:\n" + strings.Repeat("  - {name: a, kind: changes, above: 1, to: [team]}\n", 200), "alerts.yaml:8: there are more than 200 rules"},
	} {
		text := strings.Replace(whole, c.from, c.to, 1)
		if text == whole {
			t.Fatalf("%q is not there", c.from)
		}
		_, err := alert.Parse("alerts.yaml", []byte(text), noon)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %s", c.to, err, c.want)
		}
		if err != nil && (len(policy.Faults(err)) == 0 || strings.Contains(err.Error(), "pw@")) {
			t.Errorf("%q: %v", c.to, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte(""))
	f.Add([]byte("rules: [~]"))
	f.Add([]byte("rules: [{name: a, kind: lines, filter: 'at:main group:repo', above: 1e3, to: [b]}]\nreceivers: [{name: b, webhook: 'http://127.0.0.1:1'}]"))
	f.Add([]byte("receivers: [{name: a, mail: [a@b]}, ~, {}]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		file, err := alert.Parse("fuzz.yaml", body, noon)
		if err != nil {
			if len(policy.Faults(err)) == 0 {
				t.Fatalf("a fault without a place: %v", err)
			}
			return
		}
		for _, r := range file.Rules {
			if r.Every < time.Minute || len(r.To) == 0 || r.Threshold() == "" {
				t.Fatalf("%+v", r)
			}
			some, none := r.Crossed(alert.Value{Part: 1 << 50, Whole: 1 << 50, Share: r.Of != nil}), r.Crossed(alert.Value{Whole: 1, Share: r.Of != nil})
			if some == none && r.Above != nil && *r.Above < 100 {
				t.Fatalf("%+v is never crossed, or always", r)
			}
		}
	})
}
