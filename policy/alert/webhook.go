package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Signature is the header of what a webhook is told with a secret.
const Signature = "X-Stemma-Signature-256"

// maxAnswer is how much is read of an answer, so that the connection can be used again.
const maxAnswer = 64 << 10

// A webhook is told by POST, as JSON.
type webhook struct {
	address, secret string
	client          *http.Client
}

func newWebhook(address, secret string) *webhook {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxAnswer
	return &webhook{address, secret, &http.Client{
		Transport: transport,
		// What is told is for the address that was named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// sign is what the header [Signature] says of a body.
func sign(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func (w *webhook) send(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.address, bytes.NewReader(body))
	if err != nil {
		return refusal{errors.New("the webhook has no address")} // err would tell it
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "stemma")
	if w.secret != "" {
		r.Header.Set(Signature, sign(body, w.secret))
	}
	resp, err := w.client.Do(r)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // without the address, whose path may be a secret
		}
		return fmt.Errorf("%s: %w", r.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()                         // it is only read
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // its status says enough
	return answered(r.URL.Host, resp.StatusCode)
}

// answered is what a status means.
func answered(host string, code int) error {
	err := fmt.Errorf("%s answers %d %s", host, code, http.StatusText(code))
	switch {
	case code/100 == 2:
		return nil
	case code/100 == 3:
		return refusal{fmt.Errorf("%w: it is not followed, name the address that it leads to", err)}
	case code/100 == 4 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		return refusal{err}
	}
	return err
}
