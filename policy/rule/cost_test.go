package rule_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/policy/rule"
)

func TestWhatWouldCostTooMuchDoesNotRun(t *testing.T) {
	const many, text = `lists.range(60000)`, `lists.range(3000).map(i, "0123456789").join()`
	for text, want := range map[string]string{
		many + `.distinct().size() > 0`:                                              "distinct would take",
		`sets.contains(` + many + `, ` + many + `)`:                                  "sets.contains would take",
		`sets.equivalent(` + many + `, ` + many + `)`:                                "sets.equivalent would take",
		`sets.intersects(` + many + `, ` + many + `.map(i, -1))`:                     "sets.intersects would take",
		many + `.hasAll(` + many + `)`:                                               "hasAll would take",
		many + `.hasOnly(` + many + `)`:                                              "hasOnly would take",
		many + `.hasAny(` + many + `.map(i, -1))`:                                    "hasAny would take",
		many + `.hasExactly(` + many + `)`:                                           "hasExactly would take",
		`lists.range(90000).sort().size() > 0`:                                       "sort would take",
		`[` + many + `].map(l, l.map(i, l)).all(l, l.flatten().size() > 0)`:          "flatten would take",
		`[` + text + `].all(x, lists.range(5000).map(i, x).join().size() > 0)`:       "join would take",
		`[` + many + `.map(i, "a").join()].all(x, x.replace("a", x).size() > 0)`:     "replace would take",
		`[` + many + `.map(i, "a").join()].all(x, x.replace("", x).size() > 0)`:      "replace would take",
		`[` + text + `].all(x, x.indexOf(x.substring(1) + "a") > 0)`:                 "indexOf would take",
		`[` + text + `].all(x, x.lastIndexOf(x.substring(1) + "a") > 0)`:             "lastIndexOf would take",
		`lists.range(9).exists(i, ` + many + `.map(j, j + i).distinct().size() < 0)`: "distinct would take", // no turn passes over it
	} {
		r, err := rule.Compile[bool](text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		began := time.Now()
		_, err = r.Eval(t.Context(), rule.Of(one()))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s took %s", text, took)
		}
	}
}

func TestWhatCostsLittleRuns(t *testing.T) {
	for _, text := range []string{
		`lists.range(600).distinct().size() == 600`,
		`[[3, 1], [2]].flatten().sort() == [1, 2, 3]`,
		`["b", "a"].sortBy(x, x).join("-") == "a-b"`,
		`sets.contains([1, 2], [2]) && sets.intersects([1], [1, 2]) && sets.equivalent([1], [1, 1]) && [1].hasOnly([1])`,
		`"banana".replace("a", "o") == "bonono" && "banana".replace("a", "o", 1) == "bonana"`,
		`"banana".indexOf("na") == 2 && "banana".indexOf("na", 3) == 4 && "banana".lastIndexOf("na") == 4`,
		`"%s %d".format(["a", 1]) == "a 1"`,
		`[].distinct().size() == 0 && [].join() == ""`,
	} {
		r, err := rule.Compile[bool](text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := r.Eval(t.Context(), rule.Of(one())); err != nil || !got {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
}

func TestARuleEndsWithItsContext(t *testing.T) {
	r, err := rule.Compile[bool](`lists.range(100000).all(i, i >= 0)`)
	if err != nil {
		t.Fatal(err)
	}
	late, stop := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer stop()
	if _, err := r.Eval(late, rule.Of(one())); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before it began: %v", err)
	}
	soon, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if _, err := r.Eval(soon, rule.Of(one())); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("within a loop: %v", err)
	}
	r, err = rule.Compile[bool](`[1]` + strings.Repeat(`.map(x, [x, x])`, 27) + `.all(x, x == x)`) // no loop turns over its 2^27 parts
	if err != nil {
		t.Fatal(err)
	}
	later, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	began := time.Now()
	if _, err := r.Eval(later, rule.Of(one())); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("within an equation: %v", err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("within an equation it took %s", took)
	}
}
