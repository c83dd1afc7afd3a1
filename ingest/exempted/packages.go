package exempted

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/artifact"
	"github.com/stemma-dev/stemma/artifact/purl"
)

// Bounds of a file about packages.
const (
	MaxPackages = 64 << 20 // bytes
	maxPackages = 1_000_000
	maxFaults   = 20 // that are told
)

// ParsePackages reads what a registry told of packages: a JSON object with asked, optionally
// registry, and packages, each with purl and optionally first, downloads and missing. One
// that cannot be read spoils the file.
func ParsePackages(body []byte) ([]artifact.Package, error) {
	if len(body) > MaxPackages {
		return nil, fmt.Errorf("packages: the file is larger than %d bytes", MaxPackages)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	var file struct {
		Asked    time.Time `json:"asked"`
		Registry string    `json:"registry"`
		Packages []struct {
			PURL      string    `json:"purl"`
			First     time.Time `json:"first"`
			Downloads int       `json:"downloads"`
			Missing   bool      `json:"missing"`
		} `json:"packages"`
	}
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("packages: %w", err)
	}
	switch _, err := dec.Token(); {
	case !errors.Is(err, io.EOF):
		return nil, errors.New("packages: there is more than one object")
	case file.Asked.IsZero():
		return nil, errors.New("packages: asked is missing: when the registry was asked")
	case len(file.Packages) > maxPackages:
		return nil, fmt.Errorf("packages: there are more than %d", maxPackages)
	}
	var list []artifact.Package
	var faults []error
	for i, x := range file.Packages {
		fault := func(why string) {
			if len(faults) < maxFaults {
				faults = append(faults, fmt.Errorf("packages: number %d: %s", i+1, why))
			}
		}
		p, ok := purl.Parse(x.PURL)
		switch {
		case !ok:
			fault("purl is missing, or no package URL")
			continue
		case p.Version != "":
			fault("purl has a version: what is told holds of all of them")
			continue
		case x.Downloads < 0:
			fault("downloads is less than nothing")
			continue
		case x.Missing && !x.First.IsZero():
			fault("it is missing, and was published")
			continue
		}
		one := artifact.Package{
			ID: artifact.PackageRef(p.Type, p.Path), PURL: p.Name, Missing: x.Missing, First: stemma.At(x.First), Downloads: x.Downloads,
			Registry: stemma.CleanText(strings.TrimSpace(file.Registry), 200), Asked: stemma.At(file.Asked),
		}
		if _, err := one.Fact(Registry, stemma.GradeD); err != nil {
			fault(err.Error())
		}
		list = append(list, one)
	}
	return list, errors.Join(faults...)
}
