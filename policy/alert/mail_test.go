package alert_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stemma-dev/stemma/ingest/ingesttest"
	"github.com/stemma-dev/stemma/policy/alert"
	"github.com/stemma-dev/stemma/storage/storagetest"
)

const password = "a-password-of-mail"

// A post is a server of mail, which speaks as much of SMTP as is needed.
type post struct {
	t *testing.T
	net.Listener
	tls    *tls.Config       // nil: it does not offer STARTTLS
	answer map[string]string // to a verb, in the place of what it would say

	silent func() // is called when it is asked and says nothing

	mu    sync.Mutex
	heard []string
	mails []string
}

func newPost(t *testing.T, secure bool, answer map[string]string) (*post, *x509.CertPool) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{t: t, Listener: l, answer: answer}
	var roots *x509.CertPool
	if secure {
		p.tls, roots = certificate(t)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				p.serve(c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		work.Wait()
	})
	return p, roots
}

// certificate is one of this machine, and who it is trusted by.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: noon.AddDate(-50, 0, 0), NotAfter: noon.AddDate(50, 0, 0), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

func (p *post) serve(c net.Conn) {
	say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
	say("220 here")
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		p.mu.Lock()
		p.heard = append(p.heard, verb)
		p.mu.Unlock()
		if text, ok := p.answer[verb]; ok {
			if text == "" {
				p.silent()
				_, _ = io.Copy(io.Discard, r)
				return
			}
			if _, err := io.WriteString(c, text); err != nil {
				return
			}
			continue
		}
		switch verb {
		case "EHLO":
			if _, safe := c.(*tls.Conn); p.tls != nil && !safe {
				say("250-here\r\n250 STARTTLS")
			} else {
				say("250-here\r\n250 AUTH PLAIN")
			}
		case "STARTTLS":
			say("220 go on")
			c = tls.Server(c, p.tls)
			r = bufio.NewReader(c)
		case "AUTH":
			if want := base64.StdEncoding.EncodeToString([]byte("\x00ada\x00" + password)); !strings.HasSuffix(line, want) {
				p.t.Errorf("%s", line)
			}
			say("235 welcome")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil || l == ".\r\n" {
					break
				}
				b.WriteString(l)
			}
			p.mu.Lock()
			p.mails = append(p.mails, b.String())
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

// tell sends a test by a server of mail.
func (p *post) tell(ctx context.Context, roots *x509.CertPool) error {
	server, err := alert.ParseServer(fmt.Sprintf("smtp://ada:%s@%s?from=stemma@acme.example", password, p.Addr()))
	if err != nil {
		p.t.Fatal(err)
	}
	if roots != nil {
		server.Trust(roots)
	}
	db := storagetest.SQLite(p.t)
	ingesttest.Must(p.t, db, func() time.Time { return noon })
	file, err := alert.Parse("alerts.yaml", []byte("receivers: [{name: security, mail: [a@acme.example, b@acme.example]}]"), noon)
	if err != nil {
		p.t.Fatal(err)
	}
	a, err := alert.Open(p.t.Context(), alert.Config{DB: db, File: file, Mail: server, Now: func() time.Time { return noon }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		p.t.Fatal(err)
	}
	_, err = a.Test(ctx, "security")
	return err
}

func TestMailIsSentByAServerThatIsSafe(t *testing.T) {
	p, roots := newPost(t, true, nil)
	if err := p.tell(t.Context(), roots); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(p.heard, " "), "EHLO STARTTLS EHLO AUTH MAIL RCPT RCPT DATA QUIT"; got != want {
		t.Errorf("it heard %s, want %s", got, want)
	}
	m, err := mail.ReadMessage(strings.NewReader(p.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 2 || m.Header.Get("From") != "stemma@acme.example" || m.Header.Get("Subject") != "stemma: this is a test of security, nothing has happened" {
		t.Errorf("%v %v", m.Header, err)
	}
	if p, _ := newPost(t, true, nil); p.tell(t.Context(), nil) == nil {
		t.Error("a certificate that nobody knows is trusted")
	}
}

func TestHostileServersOfMailAreHeldOff(t *testing.T) {
	for about, c := range map[string]struct {
		answer map[string]string
		want   string
	}{
		"it refuses and repeats the password":    {map[string]string{"AUTH": "535 no: " + password + " " + base64.StdEncoding.EncodeToString([]byte("\x00ada\x00"+password)) + "\r\n"}, "535 no: … …"},
		"it refuses an address":                  {map[string]string{"RCPT": "550 nobody of that name\r\n"}, "550 nobody of that name"},
		"it says and says":                       {map[string]string{"MAIL": "250-" + strings.Repeat("x", 1<<20)}, "too much"},
		"it says lines without end":              {map[string]string{"MAIL": strings.Repeat("250-x\r\n", 1<<17)}, "too much"},
		"it says nothing":                        {map[string]string{"MAIL": ""}, "canceled"},
		"it does not know what it is told":       {map[string]string{"DATA": "451 later\r\n"}, "451 later"},
		"it speaks no SMTP":                      {map[string]string{"EHLO": "HTTP/1.1 200 OK\r\n\r\n", "HELO": "what\r\n"}, "mail by 127.0.0.1"},
		"its STARTTLS leads into something else": {map[string]string{"STARTTLS": "220 go on\r\nnonsense that is no TLS\r\n"}, "mail by 127.0.0.1"},
	} {
		t.Run(about, func(t *testing.T) {
			p, roots := newPost(t, true, c.answer)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			p.silent = stop
			err := p.tell(ctx, roots)
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), password) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// TestNothingThatIsToldBecomesAHeader: what a message says is one header of it, whatever
// it says.
func TestNothingThatIsToldBecomesAHeader(t *testing.T) {
	server, err := alert.ParseServer("smtps://mail.acme.example?from=stemma@acme.example")
	if err != nil {
		t.Fatal(err)
	}
	hostile := "a\r\nBcc: evil@evil.example\r\n\r\n<script> größer \x00\n.\n"
	m, err := mail.ReadMessage(strings.NewReader(string(alert.Compose(server, []string{"a@acme.example"}, alert.Message{
		ID: "held-1", Rule: "held", Text: hostile, Kind: "changes", Filter: hostile, Link: hostile, At: noon,
		Exceptions: []alert.Reminder{{Exception: "exception:REV-01/1", For: "change:x\r\nBcc: y"}},
	}))))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Header) != 9 || m.Header.Get("Bcc") != "" || m.Header.Get("Message-Id") != fmt.Sprintf("<held-1.%d@acme.example>", noon.UnixMicro()) {
		t.Errorf("%q", m.Header)
	}
}

func TestAServerOfMailIsRefusedWithoutRepeatingIt(t *testing.T) {
	for _, c := range []string{
		"", "mail.acme.example", "http://ada:" + password + "@x", "smtp://ada:" + password + "@host", "smtp://ada:" + password + "@host?from=a@b%0d%0aBcc:x", "smtp://:" + password + "@:25?from=a@b",
		"smtp://ada:" + password + "@host/path?from=a@b", "smtp://ada:" + password + "%zz@host",
	} {
		if _, err := alert.ParseServer(c); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%q: %v", c, err)
		}
	}
}
