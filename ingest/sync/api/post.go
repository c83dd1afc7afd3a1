package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// Post sends a value as JSON to a path below the base, once: who tells somebody something
// decides when to try again. The answer is not looked at, apart from its status.
func (x *Client) Post(ctx context.Context, path string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("api: %s: %w", bare(path), err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, x.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("api: %.200q is no address", path)
	}
	for name, values := range x.c.Header {
		r.Header[name] = values
	}
	r.Header.Set("User-Agent", "stemma")
	r.Header.Set("Content-Type", "application/json")
	resp, err := x.http.Do(r)
	if err != nil {
		return x.failed(path, err)
	}
	defer func() { _ = resp.Body.Close() }() // it is only read
	if resp.StatusCode/100 == 2 {
		return nil
	}
	said, err := io.ReadAll(io.LimitReader(resp.Body, maxSaid))
	if err != nil {
		said = nil // the status says enough
	}
	e := &StatusError{Code: resp.StatusCode, Path: bare(path), Message: x.said(said)}
	e.Limited = limited(resp, e.Message)
	return e
}

// maxSaid is how much is read of an answer that says what went wrong.
const maxSaid = 64 << 10
