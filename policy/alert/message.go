package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
)

// What a message says of a rule.
const (
	firing   = "firing"
	reminder = "reminder"
	over     = "over"
	test     = "test"
)

// A Message is what receivers are told.
type Message struct {
	ID         string     `json:"id"` // the same if it comes twice
	Rule       string     `json:"rule"`
	State      string     `json:"state"` // firing, reminder, over, test
	Text       string     `json:"text"`  // one line for people
	Kind       string     `json:"kind,omitempty"`
	Filter     string     `json:"filter,omitempty"`
	Value      *float64   `json:"value,omitempty"` // a number, or percent
	Share      bool       `json:"share,omitempty"` // it is percent
	Above      *float64   `json:"above,omitempty"`
	Below      *float64   `json:"below,omitempty"`
	Since      time.Time  `json:"since,omitzero"` // when it began
	At         time.Time  `json:"at"`
	Link       string     `json:"link,omitempty"` // to the list
	Exceptions []Reminder `json:"exceptions,omitempty"`
}

// A Reminder is of one exception.
type Reminder struct {
	Exception stemma.Ref `json:"exception"`
	Control   string     `json:"control"`
	For       stemma.Ref `json:"for,omitempty"`
	Until     time.Time  `json:"until"`
	Overdue   bool       `json:"overdue"` // nobody looked at it again in time; else it ends soon
}

// message says how a rule stands.
func (a *Alerter) message(r *Rule, v Value, state string, since, now time.Time) Message {
	x := v.Number()
	m := Message{
		Rule: r.Name, State: state, Kind: r.Kind, Filter: r.asked(), Value: &x, Share: v.Share, Above: r.Above, Below: r.Below, Since: since.UTC(), At: now.UTC(),
	}
	m.Text = fmt.Sprintf("stemma: %s is %s, which is %s: %s of %s", r.Name, map[string]string{firing: "firing", reminder: "firing still"}[state], r.Threshold(), v, r.Kind)
	if state == over {
		m.Text = fmt.Sprintf("stemma: %s is over: %s of %s, not %s any more", r.Name, v, r.Kind, r.Threshold())
	}
	if a.c.Link != nil {
		m.Link = a.c.Link(m.Kind, m.Filter)
	}
	return m
}

// plain is a message as the text of a mail.
func (m Message) plain() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-9s %s\n", name+":", stemma.CleanText(value, 4000))
		}
	}
	b.WriteString(m.Text + "\n\n")
	line("rule", m.Rule)
	line("question", strings.TrimSpace(m.Kind+" "+m.Filter))
	if !m.Since.IsZero() {
		line("since", m.Since.Format(time.DateTime)+" UTC")
	}
	line("list", m.Link)
	for _, e := range m.Exceptions {
		why := "ends " + e.Until.Format(time.DateTime) + " UTC"
		if e.Overdue {
			why = "nobody looked at it again within 48 hours"
		}
		line("-", fmt.Sprintf("%s for %s: %s", e.Exception, e.For, why))
	}
	return b.String()
}
