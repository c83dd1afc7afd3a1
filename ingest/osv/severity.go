package osv

import (
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"
)

// severity is what the database calls it, or else the worst of its vectors comes to.
func (x *record) severity() string {
	words := map[string]string{"critical": "critical", "high": "high", "moderate": "medium", "medium": "medium", "low": "low"}
	if word := words[strings.ToLower(x.rating)]; word != "" {
		return word
	}
	worst := -1.0
	for _, v := range x.vectors {
		if score, ok := score(v); ok {
			worst = max(worst, score)
		}
	}
	switch {
	case worst >= 9:
		return "critical"
	case worst >= 7:
		return "high"
	case worst >= 4:
		return "medium"
	case worst >= 0:
		return "low"
	}
	return ""
}

// score is that of a vector of CVSS, of any version.
func score(vector string) (float64, bool) {
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := cvss40.ParseVector(vector)
		return scored(err, func() float64 { return v.Score() })
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := cvss31.ParseVector(vector)
		return scored(err, func() float64 { return v.BaseScore() })
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := cvss30.ParseVector(vector)
		return scored(err, func() float64 { return v.BaseScore() })
	}
	v, err := cvss20.ParseVector(vector)
	return scored(err, func() float64 { return v.BaseScore() })
}

func scored(err error, score func() float64) (float64, bool) {
	if err != nil {
		return 0, false
	}
	return score(), true
}
