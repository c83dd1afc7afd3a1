package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"
)

const integrations = "../../integrations"

// A step is a part of a pipeline that runs commands.
type step struct {
	Name, Shell, Uses, Run string
}

// documents reads a file of YAML.
func documents(path string) (list []map[string]any, err error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(body))
	for {
		var doc map[string]any
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, doc)
	}
}

// stepsOf are the steps of an action.
func stepsOf(path string) ([]step, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var action struct{ Runs struct{ Steps []step } }
	err = yaml.Unmarshal(body, &action)
	return action.Runs.Steps, err
}

// scriptStep writes the commands of a step down: step github|gitea|gitlab NAME FILE
func scriptStep(ts *testscript.TestScript, _ bool, args []string) {
	text := ""
	if args[0] == "gitlab" {
		list, err := documents(filepath.Join(integrations, "gitlab", "check.yml"))
		ts.Check(err)
		for _, line := range list[1][args[1]].(map[string]any)["script"].([]any) {
			text += line.(string) + "\n"
		}
	} else {
		list, err := stepsOf(filepath.Join(integrations, args[0], "action.yml"))
		ts.Check(err)
		for _, s := range list {
			if s.Name == args[1] {
				text = s.Run
			}
		}
	}
	if text == "" {
		ts.Fatalf("there is no step %s", args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(text), 0o600))
}

func TestIntegrationsAreWellFormedAndPinned(t *testing.T) {
	pinned := regexp.MustCompile(`@[0-9a-f]{40}$`)
	for _, of := range []string{"github", "gitea"} {
		path := filepath.Join(integrations, of, "action.yml")
		steps, err := stepsOf(path)
		if err != nil || len(steps) != 2 {
			t.Fatalf("%s has %d steps, %v", path, len(steps), err)
		}
		for _, s := range steps {
			if s.Uses != "" && !pinned.MatchString(s.Uses) {
				t.Errorf("%s: %s is not pinned by a hash", path, s.Uses)
			}
			if strings.Contains(s.Run, "${{") {
				t.Errorf("%s: the step %s puts text of somebody else into a command", path, s.Name)
			}
			if s.Shell == "" {
				t.Errorf("%s: the step %s names no shell", path, s.Name)
			}
		}
	}
	list, err := documents(filepath.Join(integrations, "gitlab", "check.yml"))
	if err != nil || len(list) != 2 || list[0]["spec"] == nil {
		t.Fatalf("%d documents, %v", len(list), err)
	}
	job := list[1]["stemma-check"].(map[string]any)
	for _, line := range job["script"].([]any) {
		if text, ok := line.(string); !ok || strings.Contains(text, "$[[") {
			t.Errorf("%v is no plain line of a script", line)
		}
	}
}

// TestWorkflowsOfTheManualArePinned reads the examples of docs/checking.md.
func TestWorkflowsOfTheManualArePinned(t *testing.T) {
	manual, err := os.ReadFile("../../docs/checking.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(manual, -1)
	if len(blocks) < 3 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, b := range blocks {
		var doc map[string]any
		if err := yaml.Unmarshal(b[1], &doc); err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
		for _, used := range regexp.MustCompile(`uses: (actions/\S+)`).FindAllSubmatch(b[1], -1) {
			if !regexp.MustCompile(`@[0-9a-f]{40}$`).Match(used[1]) {
				t.Errorf("%s is not pinned by a hash", used[1])
			}
		}
		if bytes.Contains(b[1], []byte("permissions:")) && !bytes.Contains(b[1], []byte("contents: read")) {
			t.Errorf("more than reading is allowed in\n%s", b[1])
		}
	}
}
