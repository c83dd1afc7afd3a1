package vault_test

import (
	"fmt"
	"testing"

	"github.com/stemma-dev/stemma"
	"github.com/stemma-dev/stemma/storage/storagetest"
	"github.com/stemma-dev/stemma/vault"
)

func BenchmarkVaultPut(b *testing.B) {
	db := storagetest.SQLite(b)
	blobs, err := vault.Dir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	v, err := vault.Open(b.Context(), db, blobs, spaceKey(b))
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		items := make([]vault.Sealed, 1000)
		for i := range items {
			n++
			items[i] = vault.Sealed{Owner: stemma.NewRef(stemma.KindSession, "t", fmt.Sprint(n/100)), Body: fmt.Appendf(nil, "body %d", n)}
		}
		if _, err := v.PutAll(b.Context(), items...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "bodies/s")
}
