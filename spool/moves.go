package spool

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A Move is one time that git moved HEAD, as its reflog tells.
type Move struct {
	From, To string    // commits; "" where there was none
	At       time.Time // to the second, by the clock of the machine
	What     string    // "commit", "commit (amend)", "checkout: moving from main to topic"
	End      int64     // how long the reflog was afterwards: see [Stand]
}

// maxMove bounds one line of a reflog; a longer one is no move.
const maxMove = 64 << 10

func (p Place) reflog() string { return filepath.Join(p.GitDir, "logs", "HEAD") }

// Moves are those of HEAD in this work tree, the first first. A work tree without
// a reflog has none.
func (p Place) Moves() ([]Move, error) { return readMoves(p.reflog()) }

// MovesOf are those of a branch, which has a reflog as long as it is there, also if
// the work tree in which it grew is not.
func (p Place) MovesOf(ref string) ([]Move, error) {
	if at := filepath.FromSlash(ref); strings.HasPrefix(ref, "refs/heads/") && filepath.IsLocal(at) {
		return readMoves(filepath.Join(p.Common, "logs", at))
	}
	return nil, nil
}

func readMoves(path string) (list []Move, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	defer func() { _ = f.Close() }()
	var at int64
	r := bufio.NewReaderSize(f, maxMove)
	for {
		line, size, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return list, fmt.Errorf("spool: %w", err)
		}
		at += size
		if m, ok := parseMove(line); ok && size <= maxMove {
			m.End = at
			list = append(list, m)
		}
	}
}

// parseMove reads "<old> <new> <name> <mail> <seconds> <zone>\t<what>".
func parseMove(line []byte) (m Move, ok bool) {
	head, what, _ := bytes.Cut(line, []byte("\t"))
	from, rest, ok := strings.Cut(string(head), " ")
	to, rest, ok2 := strings.Cut(rest, " ")
	if !ok || !ok2 || !isID(from) || !isID(to) {
		return m, false
	}
	when := rest[strings.LastIndex(rest, "> ")+1:]
	seconds, _, _ := strings.Cut(strings.TrimSpace(when), " ")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return m, false
	}
	none := func(id string) string {
		if strings.Trim(id, "0") == "" {
			return ""
		}
		return id
	}
	return Move{From: none(from), To: none(to), At: time.Unix(n, 0), What: string(what)}, true
}

// isID reports whether a word is the id of an object.
func isID(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}
