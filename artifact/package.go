package artifact

import "github.com/stemma-dev/stemma"

var packageSpec = stemma.KindSpec{
	Kind: stemma.KindPackage,
	Doc:  "a package, as a registry tells of it",
	Columns: []stemma.Column{
		{Name: "purl", Type: stemma.Text, Index: true, Doc: "its package URL, without a version"},
		{Name: "missing", Type: stemma.Bool, Doc: "the registry has no such package"},
		{Name: "first", Type: stemma.Time, Doc: "when its first version was published"},
		{Name: "downloads", Type: stemma.Int, Doc: "in the month before the registry was asked"},
		{Name: "registry", Type: stemma.Text, Doc: "which registry"},
		{Name: "asked", Type: stemma.Time, Doc: "when it was asked"},
	},
}

// A Package is what a registry tells of one, whatever its version.
type Package struct {
	ID        stemma.Ref    `json:"-" fact:"subject"` // see [PackageRef]
	PURL      string        `json:"purl"`             // without a version
	Missing   bool          `json:"missing"`
	First     stemma.Moment `json:"first,omitempty"`
	Downloads int           `json:"downloads"` // in the month before it was asked; 0 if that is not known
	Registry  string        `json:"registry,omitempty"`
	Asked     stemma.Moment `json:"asked,omitempty" fact:"occurred"`
}

// PackageRef names a package by the type of its package URL and how people write it.
func PackageRef(kind, path string) stemma.Ref {
	return stemma.NewRef(stemma.KindPackage, kind, path)
}

// Ref names the package.
func (p Package) Ref() stemma.Ref { return p.ID }

// Fact states what a registry tells.
func (p Package) Fact(source string, grade stemma.Grade) (stemma.Fact, error) {
	return stemma.State(Room, p, source, grade)
}

// PackageFromFact reads what Fact wrote.
func PackageFromFact(f stemma.Fact) (Package, error) { return stemma.Recall[Package](Room, f) }
