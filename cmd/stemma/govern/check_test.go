package govern

import (
	"strings"
	"testing"
)

func TestTwoFormsDoNotGoToOnePlace(t *testing.T) {
	for _, x := range []struct {
		flags checkFlags
		want  string
	}{
		{checkFlags{sarif: "-", asJSON: true}, "--json and --sarif both write to standard output"},
		{checkFlags{markdown: "-", stream: true}, "--stream and --markdown both write to standard output"},
		{checkFlags{sarif: "-", annotations: "github"}, "--annotations and --sarif both write to standard output"},
		{checkFlags{quality: "-", annotations: "gitlab"}, "--annotations and --code-quality both write to standard output"},
		{checkFlags{oscal: "-", showInput: true}, "--show-input and --oscal both write to standard output"},
		{checkFlags{sarif: "-", junit: "-"}, "--sarif and --junit both write to standard output"},
		{checkFlags{sarif: "same", junit: "same"}, "--sarif and --junit both write to the file same"},
		{checkFlags{sarif: "same", markdown: "./a/../same"}, "--sarif and --markdown both write to the file ./a/../same"},
		{checkFlags{sarif: "a", junit: "b", oscal: "-"}, ""},
		{checkFlags{sarif: "a", asJSON: true}, ""},
		{checkFlags{sarif: "/dev/null", junit: "/dev/null"}, ""},
		{checkFlags{annotations: "github", markdown: "m"}, ""},
	} {
		if err := x.flags.places(); x.want == "" && err != nil || x.want != "" && (err == nil || !strings.Contains(err.Error(), x.want)) {
			t.Errorf("%+v: %v, want %s", x.flags, err, x.want)
		}
	}
}
