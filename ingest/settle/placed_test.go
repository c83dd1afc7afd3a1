package settle_test

import (
	"slices"
	"testing"
)

// A pick leaves no trace, but git had written before: the text of an older commit is told
// by less of it than where a person alone was at work.
func TestWhatGitMayHavePutBackIsToldByLess(t *testing.T) {
	d, other, _ := twoDesks(t)
	d.agent("s1", "a.txt", d.inserts("s1", 2, 2))
	d.commit()
	d.person("a.txt", func(l []string) []string { return slices.Delete(l, 2, 4) })
	d.commit()
	d.Git("push", "-q", "origin", "main")
	d.travel()
	other.person("b.txt", other.inserts("me", 0, 1))
	other.commit()
	other.Git("pull", "-q", "--no-rebase", "--no-edit", "origin", "main")
	other.Git("fetch", "-q")
	other.Git("cherry-pick", "-n", "origin/main~1")
	other.person("a.txt", other.inserts("me", 3, 1))
	other.commit()
	other.check(false)
}
