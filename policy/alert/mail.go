package alert

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// A Server is one that sends mail.
type Server struct {
	host, port     string
	user, password string
	from           string
	implicit       bool // TLS from the first byte
	roots          *x509.CertPool
}

// ParseServer reads smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS, or smtps:// where TLS comes
// first. Of a server that is not on this machine, mail is only given to one that speaks TLS.
// An error does not repeat the address.
func ParseServer(address string) (*Server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil, errors.New("alert: this is no address of a server of mail: write it as smtp://USER:PASSWORD@HOST:587?from=ADDRESS")
	}
	s := &Server{host: u.Hostname(), port: u.Port(), user: u.User.Username(), from: u.Query().Get("from"), implicit: u.Scheme == "smtps"}
	s.password, _ = u.User.Password()
	if s.port == "" {
		s.port = map[bool]string{false: "587", true: "465"}[s.implicit]
	}
	if a, err := mail.ParseAddress(s.from); err != nil || a.Address != s.from {
		return nil, fmt.Errorf("alert: the server of mail %.100q is given without the address that mail comes from: add ?from=NAME@HOST", s.host)
	}
	return s, nil
}

// mails tell several addresses by one mail.
type mails struct {
	server *Server
	to     []string
}

func (x *mails) send(ctx context.Context, m Message) error {
	err := x.server.send(ctx, x.to, x.compose(m))
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err() // the connection was closed for that
	}
	var said *textproto.Error
	if !errors.As(err, &said) {
		return fmt.Errorf("mail by %s: %w", x.server.host, err)
	}
	err = fmt.Errorf("mail by %s: it answers %d %s", x.server.host, said.Code, x.server.scrubbed(said.Msg))
	if said.Code >= 500 {
		return refusal{err}
	}
	return err
}

// scrubbed is what a server says, should it repeat the password without that.
func (s *Server) scrubbed(text string) string {
	if s.password == "" {
		return text
	}
	whole := base64.StdEncoding.EncodeToString([]byte("\x00" + s.user + "\x00" + s.password))
	return strings.NewReplacer(whole, "…", s.password, "…", base64.StdEncoding.EncodeToString([]byte(s.password)), "…").Replace(text)
}

// compose is a mail. Its headers are addresses that were checked, and words that are
// encoded where they are more than printable.
func (x *mails) compose(m Message) []byte {
	var b bytes.Buffer
	header := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	header("From", x.server.from)
	header("To", strings.Join(x.to, ",\r\n "))
	header("Subject", mime.QEncoding.Encode("utf-8", m.Text))
	header("Date", m.At.Format(time.RFC1123Z))
	header("Message-ID", "<"+m.ID+"."+fmt.Sprint(m.At.UnixMicro())+"@"+x.server.from[strings.LastIndexByte(x.server.from, '@')+1:]+">")
	header("Auto-Submitted", "auto-generated")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(m.plain())) // into memory
	_ = w.Close()
	return b.Bytes()
}

// maxSaid is how much a server may say during one delivery.
const maxSaid = 256 << 10

// bounded is a connection of which no more than that is read.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the server says too much")
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// send gives a mail to the server, until ctx ends.
func (s *Server) send(ctx context.Context, to []string, body []byte) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(s.host, s.port))
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	conn = &bounded{conn, maxSaid}
	secure := &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12, RootCAs: s.roots}
	if s.implicit {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer func() { _ = c.Close() }() // after Quit it is closed already
	if err := s.greet(c, secure); err != nil {
		return err
	}
	if err := c.Mail(s.from); err != nil {
		return err
	}
	for _, a := range to {
		if err := c.Rcpt(a); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // the mail was taken
	return nil
}

// greet makes the connection safe, and says who we are.
func (s *Server) greet(c *smtp.Client, secure *tls.Config) error {
	if starts, _ := c.Extension("STARTTLS"); starts && !s.implicit {
		if err := c.StartTLS(secure); err != nil {
			return err
		}
	}
	if _, safe := c.TLSConnectionState(); !safe && !loopback(s.host) {
		return refusal{errors.New("it does not offer STARTTLS, and mail is not sent where anybody on the way can read it")}
	}
	if s.user == "" {
		return nil
	}
	return c.Auth(smtp.PlainAuth("", s.user, s.password, s.host))
}
