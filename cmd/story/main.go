// Command story tells the story of package story into a space.
//
//	go run ./cmd/story --stemma bin/stemma --dir .cache/story
//
// The clones come to lie in DIR/work, the space in DIR/space: serve it with
// STEMMA_DATA=DIR/space. A space that is there is left alone.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/stemma-dev/stemma/story"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	program := flag.String("stemma", "bin/stemma", "the program")
	dir := flag.String("dir", filepath.Join(".cache", "story"), "where it is told")
	flag.Parse()
	space := filepath.Join(*dir, "space")
	if _, err := os.Stat(space); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	stemma, err := filepath.Abs(*program)
	if err != nil {
		return err
	}
	// It is complete or not there at all.
	unfinished, err := filepath.Abs(filepath.Join(*dir, "unfinished"))
	if err := errors.Join(err, os.RemoveAll(unfinished)); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	_, err = story.Tell(ctx, story.Setting{
		Stemma: stemma, Dir: filepath.Join(*dir, "work"), Env: []string{"STEMMA_DATA=" + unfinished, "STEMMA_LOG_ORIGIN=story.example/stemma"}, Log: os.Stderr,
	})
	if err != nil {
		return err
	}
	return os.Rename(unfinished, space)
}
