package dashboard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/stemma-dev/stemma/git/gittest"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

// patience bounds a whole test in the browser; nothing waits that long unless
// something is broken.
const patience = 5 * time.Minute

// A tab is one page in a real browser, on a site.
type tab struct {
	t    testing.TB
	ctx  context.Context
	base string

	mu     sync.Mutex
	faults []string // what the browser complained about; mu protects it
}

// browse opens a tab on a site. Without Chromium the test fails and says how to
// get it.
func browse(t *testing.T, s *site) *tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Fatal("Chromium is not installed; on Debian: sudo apt-get install -y chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("no-first-run", true))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	server := httptest.NewServer(s.pages)
	t.Cleanup(server.Close)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, base: server.URL}
	must(t, chromedp.Listen(ctx, b.heard))
	return b
}

// heard collects what the console says: errors, and violations of the policy.
func (b *tab) heard(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			b.faults = append(b.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, "an exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			b.faults = append(b.faults, fmt.Sprint("console: ", e.Type))
		}
	}
}

// quiet fails if the browser complained about anything so far.
func (b *tab) quiet() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		b.t.Errorf("the browser complains: %s", f)
	}
	b.faults = nil
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("in the browser: %v", err)
	}
}

// look sets the size and the colours of the screen.
func (b *tab) look(width int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 900), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// says evaluates an expression in the page.
func says[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// await asks until an expression is true. While a page is being replaced it
// cannot be asked, which is no fault.
func (b *tab) await(expression string) {
	b.t.Helper()
	for {
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		if ok {
			return
		}
		if b.ctx.Err() != nil {
			b.t.Fatalf("it never came to be that %s: %v", expression, err)
		}
	}
}

// click presses the mouse where a link with that text is, and waits for what
// should be true then. A link that cannot be hit there fails the test.
func (b *tab) click(text, then string) {
	b.t.Helper()
	quoted, err := json.Marshal(text)
	must(b.t, err)
	b.await(`document.readyState === "complete"`) // before that, things still move
	at := says[[]float64](b, `(() => {
		const a = [...document.querySelectorAll("main a, nav a, main button")].find(a => a.textContent.trim() === `+string(quoted)+` && a.getClientRects().length);
		if (!a) return [];
		a.scrollIntoView({block: "center", inline: "center"});
		const r = a.getClientRects()[0], x = r.x + r.width / 2, y = r.y + r.height / 2;
		return a.contains(document.elementFromPoint(x, y)) ? [x, y] : [];
	})()`)
	if len(at) != 2 {
		b.t.Fatalf("there is nothing to click that says %q on %s", text, says[string](b, "location.pathname"))
	}
	b.do(chromedp.MouseClickXY(at[0], at[1]))
	b.await(`document.readyState === "complete" && (` + then + `)`) // a heading is there before its page is
}

func TestFromOverviewToTheOriginOfALine(t *testing.T) {
	b := browse(t, full(t, storagetest.SQLite(t)))
	for _, width := range []int64{1400, 420} {
		b.look(width, "light")
		b.open("/")
		b.click("acme/pay", `location.pathname === "/files/github.com/acme/pay"`)
		b.click("src/", `location.pathname.endsWith("/-/src")`)
		b.click("pay/", `location.pathname.endsWith("/-/src/pay")`)
		b.click("charge.go", `document.getElementById("L1")`)
		if say := says[string](b, `document.querySelector("tbody.from-ai .mark span").title`); !strings.Contains(say, "AI, codex, gpt-5.6-sol, session codex 019e-77") {
			t.Errorf("the first line says %q", say)
		}
		b.click("codex 019e-77", `location.pathname === "/sessions/codex/019e-77"`)
		b.open("/")
		b.click("#7", `document.querySelector("h1").textContent.includes("#7")`)
		if n := says[int](b, `document.querySelectorAll("tr.added.from-ai").length`); n != 2 {
			t.Errorf("the diff of the change marks %d lines as AI's, want 2", n)
		}
		b.click("verify", `document.querySelector("#checks")`)
		if head := says[string](b, `document.querySelector("#checks h2").textContent`); head != "Verified" {
			t.Errorf("verifying says %q", head)
		}
	}
	b.quiet()
}

// inView returns what sticks out of the window or of its container, or is
// drawn too small to read.
const inView = `(() => {
	const out = [], w = document.documentElement.clientWidth;
	if (document.documentElement.scrollWidth > w) out.push("the page is " + document.documentElement.scrollWidth + " wide in " + w);
	const name = e => e.tagName + "." + (e.className.baseVal ?? e.className) + " " + e.textContent.trim().slice(0, 30);
	for (const e of document.querySelectorAll("h1, h2, p, dt, dd, li, legend, .leaf, .tile-value, .tile-note, .scroll, svg, input, button, summary, pre")) {
		if (e.closest(".scroll") && !e.matches(".scroll") || e.closest("dialog, .hidden, .skip") || !e.getClientRects().length) continue;
		const r = e.getBoundingClientRect();
		if (r.left < -0.5 || r.right > w + 0.5) out.push(name(e) + " from " + r.left + " to " + r.right + " in " + w);
	}
	for (const svg of document.querySelectorAll("svg.lanes, svg.chart")) {
		if (!svg.getClientRects().length) continue;
		const s = svg.getBoundingClientRect();
		for (const e of svg.querySelectorAll("rect, text, path.arrow")) {
			if (e.closest("defs")) continue;
			const r = e.getBoundingClientRect();
			if (r.left < s.left - 1 || r.right > s.right + 1 || r.top < s.top - 1 || r.bottom > s.bottom + 1) out.push(name(e) + " leaves its picture: " + [r.left, r.right, r.top, r.bottom].map(Math.round) + " of " + [s.left, s.right, s.top, s.bottom].map(Math.round));
			if (e.tagName === "text" && r.height < 8) out.push(name(e) + " is " + r.height + " high");
		}
		for (const a of svg.querySelectorAll("a")) {
			const box = a.querySelector(".box"), text = a.querySelector(".box-text"), grade = a.querySelector(".box-grade");
			if (!box) continue;
			const b = box.getBoundingClientRect(), t = text.getBoundingClientRect();
			if (t.left < b.left || t.right > (grade ? grade.getBoundingClientRect().left : b.right)) out.push(name(text) + " runs over its box");
		}
	}
	return out;
})()`

// contrast returns text that is too close in colour to what is behind it.
const contrast = `(() => {
	const out = new Set();
	const rgb = c => { const m = c.match(/[\d.]+/g).map(Number); return c.startsWith("color(") ? [...m.slice(0, 3).map(v => v * 255), m[3] ?? 1] : [m[0], m[1], m[2], m[3] ?? 1]; };
	const lum = c => { const f = v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }; return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]); };
	const ratio = (a, b) => { const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
	const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return rgb(getComputedStyle(document.body).backgroundColor); };
	for (const e of document.querySelectorAll("body *")) {
		if (e.closest("svg, .hidden, dialog, .skip") || !e.getClientRects().length) continue;
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		const s = getComputedStyle(e), size = parseFloat(s.fontSize), large = size >= 24 || size >= 18.66 && s.fontWeight >= 700;
		const r = ratio(rgb(s.color), behind(e));
		if (r < (large ? 3 : 4.5)) out.add(e.tagName + "." + e.className + ": " + r.toFixed(2));
	}
	const pairs = [[".box-text", ".box"], [".box-grade", ".box"], [".lane-name", ".lane-ground"], [".gap-text", ".lane-ground"], [".on-ai", ".c-ai"], [".on-human", ".c-human"], [".on-unknown", ".hatch-ground"], [".on-pass", ".c-pass"], [".on-fail", ".c-fail"], [".tick", null], [".month", null]];
	for (const [text, ground] of pairs) {
		const t = document.querySelector(text);
		if (!t) continue;
		const g = ground ? rgb(getComputedStyle(document.querySelector(ground)).fill) : rgb(getComputedStyle(document.body).backgroundColor);
		const r = ratio(rgb(getComputedStyle(t).fill), g);
		if (r < 4.5) out.add(text + " on " + ground + ": " + r.toFixed(2));
	}
	return [...out];
})()`

// readable fails for what does not fit into the window, or is hardly to be told from what is
// behind it.
func (b *tab) readable(path string, width int64, scheme string) {
	b.t.Helper()
	for _, fault := range says[[]string](b, inView) {
		b.t.Errorf("%s at %d: %s", path, width, fault)
	}
	for _, fault := range says[[]string](b, contrast) {
		b.t.Errorf("%s in %s: %s", path, scheme, fault)
	}
}

func TestWhatShouldBeSeenIsInTheViewAndReadable(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	b := browse(t, s)
	for _, path := range []string{
		"/", "/changes", "/changes?q=group:merged-month", "/changes?q=moddel:x", "/changes/github.com/acme/pay%237", "/commits/" + strings.TrimPrefix(s.first(), "commit:sha1/"),
		"/sessions/codex/019e-77", "/models", "/people", "/files/github.com/acme/pay", "/files/github.com/acme/pay/-/src/pay/charge.go", "/tickets/jira/PAY-17",
		"/environments", "/environments/prod", "/deployments", "/deployments/prod/103", "/incidents", "/incidents/pagerduty/P7", "/runs", "/runs/" + strings.TrimPrefix(string(s.attempt(2)), "run:"),
		"/requirements/jira/PAY-1", "/reviews", "/sessions/claude-code/work-1", "/search?q=co", "/sources", "/gaps", "/log", "/help", "/facts/3?verify=1", "/nowhere",
	} {
		for _, width := range []int64{380, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				b.look(width, scheme)
				b.open(path)
				b.readable(path, width, scheme)
			}
		}
	}
	b.open("/changes/github.com/acme/pay%237")
	for width, picture := range map[int64]string{420: "narrow", 1400: "wide"} {
		b.look(width, "light")
		if n := says[int](b, `[...document.querySelectorAll("svg.lanes .lane-name")].filter(e => e.getClientRects().length).length`); n != 10 {
			t.Errorf("%d of 10 lanes are to be seen at %d", n, width)
		}
		if !says[bool](b, `document.querySelector(".only-`+picture+` svg").getClientRects().length > 0`) {
			t.Errorf("the %s picture is not shown at %d", picture, width)
		}
	}
}

func TestKeysLeadThroughThePages(t *testing.T) {
	b := browse(t, full(t, storagetest.SQLite(t)))
	b.look(1400, "light")
	b.open("/")
	b.do(chromedp.KeyEvent("\t"))
	if !says[bool](b, `document.activeElement.className === "skip" && document.activeElement.getBoundingClientRect().left >= 0`) {
		t.Error("the first stop of the keyboard is not the visible skip link")
	}
	b.do(chromedp.KeyEvent("/"))
	b.await(`document.activeElement.id === "search"`)
	b.do(chromedp.KeyEvent("g"), chromedp.KeyEvent("c"))
	if v := says[string](b, `document.activeElement.value`); !strings.HasSuffix(v, "gc") {
		t.Errorf("typing in the search gives %q", v)
	}
	b.do(chromedp.KeyEvent("\u001b"))
	b.await(`document.activeElement === document.body`)
	b.do(chromedp.KeyEvent("?"))
	b.await(`document.getElementById("keys").open`)
	b.do(chromedp.KeyEvent("\u001b"))
	b.await(`!document.getElementById("keys").open`)
	b.do(chromedp.KeyEvent("g"), chromedp.KeyEvent("c"))
	b.await(`location.pathname === "/changes" && document.readyState === "complete"`)
	b.do(chromedp.KeyEvent("j"), chromedp.KeyEvent("j"), chromedp.KeyEvent("k"), chromedp.KeyEvent("j"))
	want := says[string](b, `document.querySelectorAll("main tbody tr")[1].querySelector("a").href`)
	if got := says[string](b, `document.activeElement.href`); got != want {
		t.Errorf("j j k j leads to %s, want %s", got, want)
	}
	b.do(chromedp.KeyEvent("\r"))
	b.await(`location.href === ` + fmt.Sprintf("%q", want))
	b.quiet()
}

func TestBoxOfALineageShowsWhatItIsLinkedTo(t *testing.T) {
	b := browse(t, full(t, storagetest.SQLite(t)))
	b.look(1400, "light")
	b.open("/changes/github.com/acme/pay%237")
	const lit = `[...document.querySelectorAll(".only-wide .lanes a.lit")].map((a) => a.textContent).join()`
	if got := says[string](b, lit); got != "" {
		t.Errorf("nothing is pointed at, and %q is lit", got)
	}
	const ticket = `document.querySelector('.only-wide .lanes a[href="/tickets/jira/PAY-17"]')`
	b.do(chromedp.KeyEvent("\t")) // now the page has the focus
	b.await(ticket + `.focus() || document.querySelector(".lit") !== null`)
	got := says[string](b, lit)
	if !strings.Contains(got, "PAY-17") || !strings.Contains(got, "R-4") || strings.Contains(got, "Charges fail") {
		t.Errorf("with a ticket, %q is lit", got)
	}
	if n := says[int](b, `document.querySelectorAll(".only-wide .arrow.lit").length`); n == 0 {
		t.Error("none of its arrows is lit")
	}
	b.await(ticket + `.blur() || !document.querySelector(".lit")`)
	b.await(ticket + `.dispatchEvent(new MouseEvent("mouseover", {bubbles: true})) && document.querySelector(".lanes a.lit") !== null`)
	b.quiet()
}

func TestFilterRefreshesTheTableOnly(t *testing.T) {
	b := browse(t, full(t, storagetest.SQLite(t)))
	b.open("/changes")
	before := says[int](b, `window.same = document.querySelectorAll("#list tbody tr").length`)
	b.do(chromedp.Click("#filter"), chromedp.KeyEvent("type:feature"), chromedp.KeyEvent("\r"))
	b.await(`location.search === "?q=type%3Afeature" && document.querySelectorAll("#list tbody tr").length === 1`)
	if says[int](b, `window.same ?? 0`) != before {
		t.Error("the filter loaded the whole page")
	}
	b.do(chromedp.NavigateBack())
	b.await(`location.search === "" && document.querySelectorAll("#list tbody tr").length === ` + fmt.Sprint(before))
	b.quiet()
}

func TestPagesWorkWithoutScripts(t *testing.T) {
	b := browse(t, full(t, storagetest.SQLite(t)))
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	b.open("/changes")
	if says[bool](b, `typeof htmx !== "undefined"`) {
		t.Error("scripts run")
	}
	b.do(chromedp.Click("#filter"), chromedp.KeyEvent("type:feature"))
	b.click("Show", `location.search === "?q=type%3Afeature" && document.readyState === "complete"`)
	if n := says[int](b, `document.querySelectorAll("#list tbody tr").length`); n != 1 {
		t.Errorf("the filter leaves %d rows, want 1", n)
	}
	b.click("feat: charge cards (PAY-17)", `document.querySelectorAll("tr.added").length > 0`)
}

// TestADecisionIsMadeWithoutScripts fills in the form on the page of an incident, as a
// person does, in a real browser that runs no script.
func TestADecisionIsMadeWithoutScripts(t *testing.T) {
	b := browse(t, full(t, storagetest.SQLite(t)))
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	b.open(outagePage)
	b.click("It caused this", `document.activeElement.id === "judge-name"`) // nothing is sent without a name
	b.do(chromedp.KeyEvent("Ann Lee"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("ann@x.test"), chromedp.KeyEvent("\t"), chromedp.KeyEvent("half a cent"))
	b.click("It caused this", `location.hash === "#chronicle"`)
	if n := says[int](b, `document.querySelectorAll(".chronicle .is-confirmed, .leads .is-confirmed").length`); n != 2 {
		t.Errorf("%d places say that it is confirmed, want 2", n)
	}
	b.quiet()
}

func TestHostileNamesRunNothing(t *testing.T) {
	s := full(t, storagetest.SQLite(t))
	b := browse(t, s)
	for _, path := range []string{"/", "/changes", "/commits", "/sessions/codex/019e-77", "/people", "/gaps", "/tickets/jira/PAY-17", "/changes/github.com/acme/pay%237", "/environments/prod", outagePage} {
		b.open(path)
		if n := says[int](b, `document.querySelectorAll("img, script:not([src])").length`); n != 0 {
			t.Errorf("%s has %d elements that nobody wrote", path, n)
		}
	}
	b.quiet()
}

// TestFiveThousandCommitsArePagedThrough opens the pages of a repository of
// 5,000 commits and goes to its oldest by the links between pages.
func TestFiveThousandCommitsArePagedThrough(t *testing.T) {
	const commits = 5000
	r := gittest.New(t)
	im := r.Import()
	for i := range commits {
		im.Commit(gittest.ImportCommit{
			Ref: "refs/heads/main", Message: fmt.Sprintf("feat: step %d\n", i+1),
			Files: []gittest.ImportFile{{Path: fmt.Sprintf("d%d/f%d.txt", i%20, i%200), Mode: "100644", Content: lines(fmt.Sprint("step ", i), i%20+1)}},
		})
	}
	im.Close()
	s := empty(t, storagetest.SQLite(t))
	s.scan(r.Dir)
	b := browse(t, s)
	b.open("/")
	b.click("Changes", `location.pathname === "/changes"`)
	b.click("Commits", `location.pathname === "/commits" && document.querySelector(".pages")`)
	if says := says[string](b, `document.querySelector(".pages span").textContent`); says != "1–50 of 5,000" {
		t.Errorf("the list of commits says %q", says)
	}
	b.open("/commits?from=4900")
	b.click("next →", `location.search.includes("from=4950") && document.readyState === "complete"`)
	if n := says[int](b, `document.querySelectorAll("main tbody tr").length`); n != 50 {
		t.Errorf("the last page has %d rows", n)
	}
	b.click("feat: step 1", `document.querySelectorAll("tr.added.from-unknown").length === 1`)
	for _, path := range []string{"/", "/changes", "/files"} {
		b.open(path)
		for _, fault := range says[[]string](b, inView) {
			t.Errorf("%s: %s", path, fault)
		}
	}
	b.quiet()
}
