package stemma_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers is the picture of ARCHITECTURE.md: every package, lowest first, with
// the packages of this module that its code may import. A package that is not
// in the table does not exist: adding one is a decision to be reviewed.
var layers = []struct {
	pkg     string
	imports string // space separated; "rooms" stands for all eleven
}{
	{".", ""},

	{"identity", "."},
	{"intent", "."},
	{"session", "."},
	{"session/price", ""},
	{"attribution", "."},
	{"attribution/diff", ""},
	{"attribution/edits", "attribution/diff"},
	{"attribution/sight", "attribution/edits"},
	{"attribution/version", "attribution/diff"},
	{"attribution/weave", ". attribution/diff attribution/version"},
	{"change", "."},
	{"review", "."},
	{"pipeline", "."},
	{"artifact", "."},
	{"deployment", "."},
	{"incident", "."},
	{"governance", "."},
	{"artifact/purl", ""},

	{"git/quote", ""},
	{"git/internal/wire", ""},
	{"git/internal/child", ". git/quote git/internal/wire"},
	{"git/internal/packs", ""},
	{"git/internal/plain", "git/internal/wire"},
	{"git/patch", "git/quote git/internal/wire"},
	{"git", ". git/quote git/internal/child git/internal/packs git/internal/plain git/internal/wire"},
	{"git/history", "git git/patch git/internal/child git/internal/wire"},
	{"git/blame", "git git/quote git/internal/child git/internal/wire"},
	{"storage", "."},
	{"storage/turn", ""},
	{"vault", ". storage"},
	{"inbox", ". storage storage/turn"},
	{"attest/keyless", ""},
	{"attest", "attest/keyless"},
	{"outbox", ""},
	{"spool", ""},
	{"spool/index", ""},
	{"redact/secret", ""},
	{"redact", "redact/secret"},
	{"redact/rules", "redact"},
	{"install/jsonc", ""},
	{"install/githook", ""},
	{"install/agent", ""},
	{"install/host", "install/agent"},
	{"install", "spool install/agent install/githook install/host install/jsonc"},
	{"ledger/seal", "."},
	{"ledger", ". storage storage/turn ledger/seal"},
	{"graph/shape", "."},
	{"graph", ". storage ledger graph/shape"},
	{"graph/walk", ". graph"},
	{"graph/compare", "graph"},
	{"graph/between", ". storage"},

	{"lineage", ". rooms graph graph/shape graph/walk storage"},
	{"lineage/deployed", ". rooms storage"},
	{"ingest", ". rooms storage vault ledger graph lineage"},
	{"ingest/jsonwalk", ""},
	{"ingest/hook", "identity ingest/jsonwalk"},
	{"ingest/command", ""},
	{"ingest/agent/run", ". rooms session/price ingest/command ingest/hook ingest/jsonwalk"},
	{"ingest/agent/codex", ". rooms ingest/jsonwalk ingest/agent/run"},
	{"ingest/agent/copilot", "ingest/jsonwalk ingest/agent/run"},
	{"ingest/agent/opencode", ". rooms ingest/jsonwalk ingest/agent/run"},
	{"ingest/agent/opencode/database", "ingest/agent/opencode"},
	{"ingest/agent", ". rooms ingest/jsonwalk ingest/agent/run ingest/agent/codex ingest/agent/copilot ingest/agent/opencode"},
	{"ingest/capture", "attribution/edits attribution/sight spool spool/index ingest/hook ingest/command"},
	{"ingest/local", "spool ingest/agent ingest/hook"},
	{"ingest/replay", "ingest/agent ingest/local"},
	{"ingest/note", ". rooms git/quote ingest/jsonwalk"},
	{"ingest/gitai", ". rooms ingest/jsonwalk ingest/note"},
	{"ingest/entire", ". rooms ingest/jsonwalk ingest/note"},
	{"ingest/chainloop", ". rooms ingest/jsonwalk ingest/note"},
	{"ingest/statement", ". rooms attest ingest/jsonwalk ingest/note"},
	{"ingest/records", "git ingest/note ingest/gitai"},
	{"ingest/posted", ". rooms storage vault ingest ingest/chainloop ingest/note ingest/records"},
	{"ingest/agenttrace", ". rooms ingest/note"},
	{"ingest/ci", ". change pipeline ingest/jsonwalk"},
	{"ingest/evidence", ". artifact artifact/purl deployment pipeline redact ingest/jsonwalk"},
	{"ingest/evidence/junit", "pipeline ingest/evidence"},
	{"ingest/evidence/sarif", "pipeline ingest/evidence ingest/jsonwalk"},
	{"ingest/evidence/gitleaks", "pipeline ingest/evidence"},
	{"ingest/evidence/trivy", "pipeline ingest/evidence ingest/jsonwalk"},
	{"ingest/evidence/grype", "pipeline ingest/evidence ingest/jsonwalk"},
	{"ingest/evidence/spdx", "artifact ingest/evidence ingest/jsonwalk"},
	{"ingest/evidence/cyclonedx", "artifact ingest/evidence ingest/jsonwalk"},
	{"ingest/evidence/inspect", "ingest/evidence ingest/jsonwalk"},
	{"ingest/evidence/kubernetes", "ingest/evidence ingest/jsonwalk"},
	{"ingest/evidence/digests", "ingest/evidence"},
	{"ingest/evidence/format", "artifact pipeline ingest/evidence ingest/evidence/junit ingest/evidence/sarif ingest/evidence/gitleaks ingest/evidence/trivy ingest/evidence/grype ingest/evidence/spdx ingest/evidence/cyclonedx ingest/evidence/inspect ingest/evidence/kubernetes ingest/evidence/digests"},
	{"ingest/drain", ". inbox ingest"},
	{"ingest/reported", ". rooms storage inbox ingest ingest/ci ingest/drain ingest/evidence ingest/statement"},
	{"ingest/words", ". rooms git redact/secret ingest/note"},
	{"ingest/transcript", ". rooms ingest ingest/agent ingest/gitai"},
	{"ingest/otlp", ". rooms redact ingest/jsonwalk ingest/agent/run"},
	{"ingest/traced", ". rooms session/price storage inbox ingest ingest/agent/run ingest/drain ingest/otlp ingest/transcript"},
	{"ingest/settle/bind", "attribution/edits attribution/sight git git/history git/patch ingest/capture ingest/gitai ingest/note"},
	{"ingest/settle/follow", "attribution/diff attribution/edits attribution/sight git git/history git/patch spool ingest/capture ingest/settle/bind"},
	{"ingest/settle", ". attribution/edits attribution/sight git git/history spool ingest/agent ingest/capture ingest/gitai ingest/hook ingest/local ingest/note ingest/replay ingest/records ingest/settle/bind ingest/settle/follow"},
	{"ingest/origins", ". rooms git git/blame git/history git/patch git/quote ingest/note ingest/records ingest/words"},
	{"ingest/event", ". rooms redact/secret ingest/jsonwalk"},
	{"ingest/event/github", ". rooms ingest/event"},
	{"ingest/event/signature", "ingest/jsonwalk"},
	{"ingest/event/gitlab", ". rooms ingest/event"},
	{"ingest/event/bitbucket", ". rooms ingest/event"},
	{"ingest/event/jira", ". rooms ingest/event"},
	{"ingest/event/linear", ". rooms ingest/event"},
	{"ingest/event/pagerduty", ". rooms ingest/event"},
	{"ingest/event/incidentio", ". rooms ingest/event"},
	{"ingest/event/cdevents", ". rooms ingest/event"},
	{"ingest/event/azuredevops", ". rooms ingest/event"},
	{"ingest/event/argocd", ". rooms ingest/event"},
	{"ingest/event/jenkins", ". rooms ingest/event"},
	{"ingest/event/buildkite", ". rooms ingest/event"},
	{"ingest/event/gitea", ". rooms ingest/event ingest/event/github"},
	{"ingest/event/system", ". ingest/event ingest/event/signature ingest/event/github ingest/event/gitlab ingest/event/gitea ingest/event/bitbucket ingest/event/jira ingest/event/linear ingest/event/pagerduty ingest/event/incidentio ingest/event/cdevents ingest/event/azuredevops ingest/event/argocd ingest/event/jenkins ingest/event/buildkite"},
	{"ingest/hooks", ". inbox ingest ingest/jsonwalk ingest/event ingest/event/signature ingest/event/system"},
	{"ingest/sync/api", ". ingest/event"},
	{"ingest/sync/listing", "ingest/event ingest/sync/api"},
	{"ingest/sync/github", "ingest/event ingest/sync/listing"},
	{"ingest/sync/gitlab", "ingest/event ingest/sync/listing"},
	{"ingest/sync/gitea", "ingest/event ingest/sync/listing"},
	{"ingest/sync/jira", "ingest/event ingest/sync/listing"},
	{"ingest/sync", ". inbox ingest ingest/event ingest/event/system ingest/hooks ingest/sync/api ingest/sync/listing ingest/sync/github ingest/sync/gitlab ingest/sync/gitea ingest/sync/jira"},
	{"ingest/judged", ". rooms graph ingest"},
	{"ingest/osv", ". artifact/purl governance ingest/jsonwalk"},
	{"ingest/exempted", ". artifact artifact/purl governance graph identity ledger ingest ingest/jsonwalk ingest/osv"},
	{"ingest/iterated", ". rooms storage ingest"},
	{"ingest/brought", ". rooms storage graph/between lineage/deployed ingest"},
	{"ingest/deduced", "ingest ingest/brought ingest/iterated ingest/standing"},
	{"ingest/repo/clone", ". rooms git storage ingest ingest/words"},
	{"ingest/standing", ". rooms git git/quote storage ingest ingest/repo/clone"},
	{"ingest/repo/names", ". rooms git ingest ingest/words"},
	{"ingest/repo/lines", ". rooms attribution/diff attribution/weave git git/history git/patch git/quote storage ingest ingest/note ingest/repo/clone"},
	{"ingest/repo/dag", ""},
	{"ingest/repo/mended", ". attribution/diff attribution/edits attribution/weave git git/history git/patch git/quote storage ingest/words ingest/settle/bind ingest/repo/clone"},
	{"ingest/repo/landing", ". rooms attribution/weave git/history git/quote storage graph ingest ingest/note ingest/words ingest/repo/clone ingest/repo/names ingest/repo/lines ingest/repo/mended ingest/repo/dag"},
	{"ingest/repo/sessions", ". rooms session/price git storage redact ingest/agent ingest/entire ingest/gitai ingest/local ingest/note ingest/records ingest/transcript ingest/words ingest/repo/clone ingest/repo/names"},
	{"ingest/repo/bound", ". rooms attribution/edits git git/history git/quote spool storage ledger ingest/capture ingest/note ingest/settle/bind ingest/repo/clone"},
	{"ingest/repo/claims", ". rooms attribution/weave git storage ingest/note ingest/posted ingest/records ingest/words ingest/repo/clone ingest/repo/names ingest/repo/sessions"},
	{"ingest/repo/compared", ". rooms git git/history storage ingest ingest/repo/clone"},
	{"ingest/repo", ". rooms attribution/weave git git/history git/patch git/quote storage ingest ingest/local ingest/note ingest/posted ingest/records ingest/statement ingest/words ingest/settle/bind ingest/repo/clone ingest/repo/compared ingest/repo/names ingest/repo/lines ingest/repo/dag ingest/repo/mended ingest/repo/landing ingest/repo/sessions ingest/repo/bound ingest/repo/claims"},

	{"policy/subject", "git/quote"},
	{"policy/rule", "policy/subject"},
	{"policy", ". attest policy/rule policy/subject"},
	{"policy/catalogue", "policy"},
	{"policy/gather", ". rooms artifact/purl storage vault attest ingest/statement policy/subject"},
	{"policy/report", "policy policy/subject"},
	{"policy/assess", ". artifact deployment governance storage ledger ingest policy policy/gather policy/subject"},
	{"policy/tally", ". governance storage ledger"},
	{"policy/announce", ". governance storage ledger ingest/event ingest/sync/api"},
	{"query/filter", ""},
	{"query", ". rooms storage graph lineage lineage/deployed policy/subject query/filter"},
	{"query/output", "query query/filter"},
	{"policy/alert", ". storage policy query"},
	{"query/population", ". storage graph/between lineage/deployed"},
	{"query/causes", ". rooms storage lineage/deployed"},
	{"query/people", ". storage"},
	{"query/standing", ". rooms storage lineage/deployed"},
	{"query/views", ". storage lineage/deployed query query/filter query/output"},

	{"dashboard/reading", ". rooms git git/history git/patch storage graph lineage ingest ingest/note"},
	{"dashboard/page", ". rooms git/patch git/quote lineage query/output"},
	{"dashboard/drawn", ". change lineage dashboard/page"},
	{"dashboard/listing", ". storage query query/filter query/output dashboard/page"},
	{"dashboard/blamed", ". rooms query/filter dashboard/reading dashboard/page"},
	{"dashboard/sourced", "inbox ingest query/filter dashboard/reading dashboard/page dashboard/listing"},
	{"dashboard/form", ". ingest/judged"},
	{"dashboard/verdicts", ". governance graph ingest policy/tally"},
	{"dashboard/figure", ". policy policy/catalogue policy/tally dashboard/reading dashboard/verdicts dashboard/page dashboard/drawn"},
	{"dashboard/decided", ". governance dashboard/verdicts dashboard/page dashboard/figure"},
	{"dashboard/populated", ". deployment storage lineage/deployed query/population dashboard/page dashboard/figure"},
	{"dashboard/framework", "policy policy/tally dashboard/verdicts dashboard/page dashboard/figure dashboard/decided dashboard/populated"},
	{"dashboard/governed", ". policy policy/tally dashboard/verdicts dashboard/page dashboard/figure dashboard/decided"},
	{"dashboard/portrait", ". rooms git git/quote storage graph graph/walk lineage ingest query/filter query/causes query/standing dashboard/reading dashboard/page dashboard/drawn dashboard/listing dashboard/blamed dashboard/figure dashboard/decided"},
	{"dashboard", ". inbox ledger ledger/seal lineage ingest ingest/judged policy query query/filter query/output query/population query/views dashboard/reading dashboard/verdicts dashboard/page dashboard/drawn dashboard/listing dashboard/figure dashboard/decided dashboard/sourced dashboard/populated dashboard/framework dashboard/governed dashboard/portrait dashboard/form"},
	{"server", ". rooms storage inbox ledger graph graph/walk lineage ingest ingest/drain ingest/hooks ingest/otlp ingest/posted ingest/reported ingest/traced query query/filter query/output policy policy/announce policy/assess policy/tally dashboard dashboard/verdicts"},
	{"cmd/stemma/terminal", ""},
	{"cmd/stemma/early", "ingest/capture ingest/hook"},
	{"cmd/stemma/program", ". git storage vault spool ledger ledger/seal graph lineage ingest ingest/local ingest/note ingest/posted ingest/settle ingest/origins query/filter cmd/stemma/terminal"},
	{"cmd/stemma/ask", ". session change git/quote git git/blame storage graph/walk lineage ingest ingest/judged ingest/transcript ingest/origins query/filter lineage/deployed query query/output query/causes query/people query/population query/views cmd/stemma/terminal cmd/stemma/program"},
	{"cmd/stemma/clone", ". change git git/history spool install/agent install/host install ingest/hook ingest/capture ingest/local ingest/replay ingest/note ingest/records ingest/agenttrace ingest/settle ingest/origins ingest/repo/lines cmd/stemma/early cmd/stemma/terminal cmd/stemma/program"},
	{"cmd/stemma/space", ". git storage inbox spool ledger graph graph/compare lineage ingest ingest/exempted ingest/local ingest/note ingest/posted ingest/settle ingest/deduced ingest/event/system ingest/hooks ingest/repo ingest/standing ingest/sync query/views server dashboard/page policy policy/alert policy/announce policy/assess policy/catalogue policy/tally cmd/stemma/terminal cmd/stemma/program"},
	{"cmd/stemma/record", ". artifact change deployment pipeline git outbox spool ingest/ci ingest/deduced ingest/evidence ingest/evidence/format ingest/evidence/junit ingest/reported ingest/statement cmd/stemma/terminal cmd/stemma/program"},
	{"cmd/stemma/govern", ". attest change git governance ingest ingest/exempted git/history git/patch git/quote identity ingest/ci ingest/note ingest/origins ingest/repo ingest/statement ingest/words lineage/deployed storage vault policy policy/assess policy/catalogue policy/gather policy/report policy/subject query cmd/stemma/terminal cmd/stemma/program cmd/stemma/space"},
	{"cmd/stemma", "cmd/stemma/govern cmd/stemma/record cmd/stemma/program cmd/stemma/ask cmd/stemma/clone cmd/stemma/space"},

	// They know the program as its users do.
	{"story", ""},
	{"cmd/story", "story"},

	// Packages that only tests import.
	{"storage/storagetest", ". storage"},
	{"vault/vaulttest", ". vault"},
	{"git/gittest", ""},
	{"query/querytest", ". rooms storage ledger ledger/seal graph lineage"},
	{"ingest/note/notetest", ". ingest/note"},
	{"ingest/evidence/evidencetest", ". artifact deployment pipeline ingest/evidence"},
	{"ingest/ingesttest", ". storage vault ledger ledger/seal graph lineage ingest"},
	{"ingest/event/eventtest", ". lineage ingest/event"},
	{"roomtest", "."},
	{"attest/attesttest", ""},
}

const rooms = "identity intent session attribution change review pipeline artifact deployment incident governance"

// pureRooms and what lies in them may use nothing of these: rooms do no I/O and
// read no clock.
var pureRooms = []string{"os", "net", "net/http", "os/exec", "database/sql", "io/fs", "log", "log/slog"}

const module = "github.com/stemma-dev/stemma"

func TestImportsOnlyPointDown(t *testing.T) {
	allowed := map[string][]string{}
	for _, l := range layers {
		var may []string
		for _, p := range strings.Fields(l.imports) {
			if p == "rooms" {
				may = append(may, strings.Fields(rooms)...)
			} else {
				may = append(may, p)
			}
		}
		allowed[l.pkg] = may
	}
	isRoom := map[string]bool{}
	for _, r := range strings.Fields(rooms) {
		isRoom[r] = true
	}

	for _, p := range packages(t) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if name == "" {
			name = "."
		}
		may, known := allowed[name]
		if !known {
			t.Errorf("package %s is not in the table of layers_test.go: adding a package is a decision, see ARCHITECTURE.md", name)
			continue
		}
		if p.Doc == "" && name != "cmd/stemma" {
			t.Errorf("package %s has no package comment", name)
		}
		for _, imp := range p.Imports {
			if room, _, _ := strings.Cut(name, "/"); isRoom[room] && slices.Contains(pureRooms, imp) {
				t.Errorf("room %s imports %s: rooms do no I/O", name, imp)
			}
			if imp != module && !strings.HasPrefix(imp, module+"/") {
				continue
			}
			short := strings.TrimPrefix(strings.TrimPrefix(imp, module), "/")
			if short == "" {
				short = "."
			}
			if !slices.Contains(may, short) {
				t.Errorf("package %s imports %s, which lies above or beside it", name, short)
			}
		}
	}
}

type listedPackage struct {
	ImportPath, Doc string
	Imports         []string
}

func packages(t *testing.T) []listedPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []listedPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		list = append(list, p)
	}
}

// TestNothingIsCompiledAtStart: hooks run often, and every pattern that is compiled when
// the program starts costs each of them.
func TestNothingIsCompiledAtStart(t *testing.T) {
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			global, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			ast.Inspect(global, func(n ast.Node) bool {
				if call, ok := n.(*ast.SelectorExpr); ok && (call.Sel.Name == "MustCompile" || call.Sel.Name == "Must") {
					t.Errorf("%s: compiled at the start: make it at its first use, by sync.OnceValue", set.Position(call.Pos()))
				}
				_, inside := n.(*ast.FuncLit)
				return !inside
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
