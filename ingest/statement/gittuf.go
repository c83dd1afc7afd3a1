package statement

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/stemma-dev/stemma/ingest/jsonwalk"
	"github.com/stemma-dev/stemma/ingest/note"
)

// Refs of gittuf. Each also occurs under refs/gittuf-dogfood/.
const (
	GittufLog          = "refs/gittuf/reference-state-log"
	GittufAttestations = "refs/gittuf/attestations"
)

// A GittufEntry is one entry of gittuf's reference state log: the message of
// one commit on its ref.
type GittufEntry struct {
	Kind     string // "reference", "annotation", "propagation"
	Ref      string // the ref that moved
	Target   string // to which object
	Number   int64
	Entries  []string // an annotation's entries
	Skip     bool     // an annotation that takes its entries back
	Message  string
	Upstream string // a propagation's repository and entry
}

// ParseGittufEntry reads the message of a commit of the log; why says what was
// wrong with it, or nothing.
func ParseGittufEntry(message string) (e GittufEntry, why string) {
	head, rest, _ := strings.Cut(message, "\n")
	kind, ok := strings.CutPrefix(strings.TrimSpace(head), "RSL ")
	if kind, ok2 := strings.CutSuffix(kind, " Entry"); ok && ok2 {
		e.Kind = strings.ToLower(kind)
	}
	switch e.Kind {
	case "reference", "annotation", "propagation":
	default:
		return GittufEntry{}, "not an entry of a reference state log"
	}
	fields, body, _ := strings.Cut(rest, "-----BEGIN MESSAGE-----")
	for line := range strings.SplitSeq(fields, "\n") {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		e.set(strings.TrimSpace(key), jsonwalk.Clean(value, 1000))
	}
	if text, _, ok := strings.Cut(body, "-----END MESSAGE-----"); ok {
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return e, "a message that is not base64"
		}
		e.Message = strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	switch {
	case e.Kind == "annotation" && len(e.Entries) == 0:
		return e, "an annotation of no entry"
	case e.Kind != "annotation" && (e.Ref == "" || !note.IsHex(e.Target)):
		return e, "an entry without a ref or a target"
	}
	return e, ""
}

func (e *GittufEntry) set(key, value string) {
	switch key {
	case "ref":
		e.Ref = value
	case "targetID":
		e.Target = value
	case "number":
		e.Number, _ = strconv.ParseInt(value, 10, 64)
	case "entryID":
		if len(e.Entries) < 1000 {
			e.Entries = append(e.Entries, value)
		}
	case "skip":
		e.Skip = value == "true"
	case "upstreamRepository", "upstreamEntryID":
		e.Upstream = strings.TrimSpace(e.Upstream + " " + value)
	}
}
