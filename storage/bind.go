package storage

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stemma-dev/stemma"
)

// bindAll converts the arguments of a statement to what both engines take
// alike: int64, float64, string, []byte or nil.
func bindAll(args []any) ([]any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	out := make([]any, len(args))
	for i, a := range args {
		v, err := bind(a)
		if err != nil {
			return nil, fmt.Errorf("argument $%d: %w", i+1, err)
		}
		out[i] = v
	}
	return out, nil
}

func bind(a any) (any, error) {
	switch a := a.(type) {
	case nil, int64:
		return a, nil
	case int:
		return int64(a), nil
	case string:
		return text(a)
	case stemma.Ref:
		return text(string(a))
	case stemma.Digest:
		return a[:], nil
	}
	v, err := driver.DefaultParameterConverter.ConvertValue(a)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case string:
		return text(v)
	case []byte:
		if v == nil {
			return nil, nil
		}
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case time.Time:
		return nil, errors.New("a time; give its microseconds")
	}
	return v, nil
}

// text refuses what only one engine would keep.
func text(s string) (any, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return nil, fmt.Errorf("text with a zero byte: %.60q", s)
	}
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("text that is not UTF-8: %.60q", s)
	}
	return s, nil
}
