package settle_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/settle"
)

// captured is a file of what was captured at a desk.
func (d *desk) captured(name string) string { return filepath.Join(d.Dir, ".git", "stemma", name) }

func TestSettlingGoesOnFromWhereItWas(t *testing.T) {
	for name, spoil := range map[string]func(d *desk){
		"as it was": func(*desk) {},
		"what was read is not read again": func(d *desk) {
			at := d.captured("spool")
			b, err := os.ReadFile(at)
			must(t, err)
			must(t, os.WriteFile(at, append(bytes.Repeat([]byte("#"), len(b)-200), b[len(b)-200:]...), 0o600))
		},
		"from the beginning, if nothing says where it was": func(d *desk) { must(t, os.Remove(d.captured("checkpoint"))) },
		"from the beginning, if what says so is cut": func(d *desk) {
			at := d.captured("checkpoint")
			info, err := os.Stat(at)
			must(t, err)
			must(t, os.Truncate(at, info.Size()/2))
		},
		"from the beginning, if what says so is damaged": func(d *desk) {
			at := d.captured("checkpoint")
			b, err := os.ReadFile(at)
			must(t, err)
			must(t, os.WriteFile(at, bytes.ReplaceAll(b, []byte("\x02s2"), []byte("\x02s7")), 0o600)) // another session
		},
		"from the beginning, if it is of another work tree": func(d *desk) {
			other := newDesk(t)
			other.agent("s9", "a.txt", other.inserts("s9", 0, 4))
			other.commit()
			other.settle()
			b, err := os.ReadFile(other.captured("checkpoint"))
			must(t, err)
			must(t, os.WriteFile(d.captured("checkpoint"), b, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.agent("s1", "a.txt", d.inserts("s1", 0, 3))
			d.commit()
			d.agent("s2", "b.txt", d.inserts("s2", 2, 2)) // is committed later
			d.person("b.txt", d.inserts("me", 5, 2))
			d.agent("s2", "a.txt", func(lines []string) []string { return lines[1:] }) // gives s1's line up, which comes back
			d.agent("s3", "c.txt", d.inserts("s3", 0, 2))                              // is stashed
			d.Git("add", "-A")
			d.Git("stash", "push", "-q", "c.txt")
			d.Git("commit", "-q", "-m", "work", "a.txt")
			d.settle()
			spoil(d)
			d.commit("--allow-empty")
			d.Git("stash", "pop", "-q")
			d.commit()
			d.Git("revert", "--no-edit", "HEAD~2")
			d.agent("s1", "a.txt", d.inserts("s1", 4, 1))
			d.commit()
			d.check(true)
		})
	}
}

func TestWhatIsNotUsedAnyMoreIsForgotten(t *testing.T) {
	d := newDesk(t)
	d.agent("s1", "a.txt", d.inserts("s1", 0, 2))
	d.commit()
	d.agent("s1", "b.txt", d.inserts("s1", 0, 2)) // is not committed yet
	d.settle()
	contents := func() (n int) {
		all, err := filepath.Glob(d.captured("contents/*/*"))
		must(t, err)
		return len(all)
	}
	before := contents()
	must(t, os.Remove(d.captured("forgot")))
	later := time.Now().Add(30 * 24 * time.Hour)
	d.Git("commit", "-q", "--allow-empty", "-m", "so that there is something to settle")
	_, err := settle.Run(t.Context(), d.Dir, later)
	must(t, err)
	if after := contents(); after == 0 || after >= before {
		t.Errorf("%d contents of %d are left", after, before)
	}
	d.commit()
	d.check(true)
}
