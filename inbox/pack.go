package inbox

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Bodies lie compressed where that helps: what has to be written before a sender gets
// its answer is what takes time, and JSON becomes a fifth of itself.

// packedFrom is how many bytes are worth it.
const packedFrom = 256

// packers are made when the first body comes: most runs of the program see none.
var packers = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2),
		zstd.WithWindowSize(256<<10), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic("inbox: " + err.Error()) // the options are valid ones
	}
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxDelivery), zstd.WithDecoderConcurrency(2))
	if err != nil {
		panic("inbox: " + err.Error()) // likewise
	}
	return zip, unzip
})

// pack compresses raw bytes if they become fewer by it.
func pack(raw []byte) (stored []byte, packed bool) {
	if len(raw) >= packedFrom {
		zip, _ := packers()
		if stored = zip.EncodeAll(raw, make([]byte, 0, len(raw)/2)); len(stored) < len(raw) {
			return stored, true
		}
	}
	if raw == nil {
		raw = []byte{}
	}
	return raw, false
}

// unpack gives raw bytes back.
func unpack(stored []byte, packed bool) ([]byte, error) {
	if !packed {
		return stored, nil
	}
	_, unzip := packers()
	raw, err := unzip.DecodeAll(stored, nil)
	if err != nil {
		return nil, fmt.Errorf("the bytes of a delivery are damaged: %w", err)
	}
	return raw, nil
}
