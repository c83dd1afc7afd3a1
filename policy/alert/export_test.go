package alert

import "crypto/x509"

// Trust makes a server of mail one whose certificate is signed by roots.
func (s *Server) Trust(roots *x509.CertPool) { s.roots = roots }

// Compose is a mail to some addresses.
func Compose(s *Server, to []string, m Message) []byte {
	return (&mails{server: s, to: to}).compose(m)
}
