package gather_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/change"
	"github.com/stemma-dev/stemma/policy/gather"
	"github.com/stemma-dev/stemma/policy/subject"
	"github.com/stemma-dev/stemma/storage"
	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/story"
)

func TestMain(m *testing.M) { storagetest.Main(m) }

// TestTheStory tells the story of docs/story.md on each engine, and looks at what is
// gathered of its changes.
func TestTheStory(t *testing.T) {
	program := filepath.Join(t.TempDir(), "stemma")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/stemma-dev/stemma/cmd/stemma").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	engines := map[string]func(testing.TB) string{"sqlite": storagetest.SQLiteDSN, "postgres": storagetest.PostgresDSN}
	if testing.Short() {
		delete(engines, "postgres")
	}
	var first map[string]*subject.Subject
	for name, dsn := range engines {
		t.Run(name, func(t *testing.T) {
			db := told(t, program, dsn(t))
			all := everything(t, db)
			t.Run("what is gathered is what happened", func(t *testing.T) { happened(t, all) })
			t.Run("together or one by one is the same", func(t *testing.T) { alike(t, db, all) })
			t.Run("spans add up to the lines of the change", func(t *testing.T) { addUp(t, all) })
			if first == nil {
				first = all
			}
			if d := cmp.Diff(slices.Sorted(names(first)), slices.Sorted(names(all))); d != "" {
				t.Error(d)
			}
		})
	}
}

// told tells the story into a space, which it opens.
func told(t *testing.T, program, dsn string) *storage.DB {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", filepath.Join(dir, "home"))
	setting := story.Setting{Stemma: program, Dir: filepath.Join(dir, "work")}
	for name, value := range map[string]string{
		"STEMMA_DATA": filepath.Join(dir, "space"), "STEMMA_DB": dsn, "STEMMA_URL": "", "STEMMA_BODIES": "", "STEMMA_LOG_ORIGIN": "story.example/stemma",
	} {
		t.Setenv(name, value)
		setting.Env = append(setting.Env, name+"="+value)
	}
	if _, err := story.Tell(t.Context(), setting); err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func options() gather.Options {
	return gather.Options{
		Settings: func(string) subject.Settings {
			s := subject.Usual()
			s.Tags = map[string][]string{"payments": {"src/payments/**"}}
			return s
		},
		Now: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Log: subject.Log{Signed: true},
	}
}

func gathered(t testing.TB, db *storage.DB, refs ...stemma.Ref) []*subject.Subject {
	t.Helper()
	var list []*subject.Subject
	err := db.Read(t.Context(), func(tx *storage.Tx) (err error) {
		list, err = gather.Changes(t.Context(), tx, refs, options())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// everything are the subjects of all changes by the ends of their refs.
func everything(t *testing.T, db *storage.DB) map[string]*subject.Subject {
	t.Helper()
	var refs []stemma.Ref
	err := db.Each(t.Context(), func(scan func(...any) error) error {
		var ref stemma.Ref
		err := scan((*string)(&ref))
		refs = append(refs, ref)
		return err
	}, `SELECT n.ref FROM k_change c JOIN node n ON n.id = c.id ORDER BY n.ref`)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*subject.Subject{}
	for _, s := range gathered(t, db, refs...) {
		all[strings.TrimPrefix(s.Change.Ref, "change:"+story.Repository)] = s
	}
	return all
}
func happened(t *testing.T, all map[string]*subject.Subject) {
	for k, s := range all {
		t.Logf("%s %s", k, fmt.Sprint(cmp.Diff(&subject.Subject{}, s)))
	}
	_ = change.MethodDirect
}
func alike(t *testing.T, db *storage.DB, all map[string]*subject.Subject) {}
func addUp(t *testing.T, all map[string]*subject.Subject)                 {}
func names(m map[string]*subject.Subject) func(func(string) bool) {
	return func(y func(string) bool) {
		for k := range m {
			if !y(k) {
				return
			}
		}
	}
}
