package osv

import (
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"
)

// words are the severities that databases and distributions write, by what they come to.
var words = map[string]string{
	"critical": "critical", "high": "high", "important": "high", "moderate": "medium", "medium": "medium", "low": "low", "negligible": "low",
}

// least are the scores from which severities are.
var least = map[string]float64{"critical": 9, "high": 7, "medium": 4, "low": 0}

// severity is what the database calls it, or else the worst of its words and vectors comes
// to. Where one of them cannot be read, and the others are not high, it is not known.
func (x *record) severity() string {
	if word := words[strings.ToLower(x.rating)]; word != "" {
		return word
	}
	worst, unread := -1.0, false
	for _, v := range x.vectors {
		if word := words[strings.ToLower(v)]; word != "" {
			worst = max(worst, least[word])
			continue
		}
		n, ok := score(v)
		worst, unread = max(worst, n), unread || !ok
	}
	switch {
	case worst >= least["critical"]:
		return "critical"
	case worst >= least["high"]:
		return "high"
	case unread:
		return ""
	case worst >= least["medium"]:
		return "medium"
	case worst >= least["low"]:
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
		return -1, false
	}
	return score(), true
}
