package ipfscompute

import (
	"bytes"
	"io"

	"ipfscompute/internal/host"
)

// Add adds data as a file; its CID.
func Add(data []byte) (string, error) { return takeCid(host.Add(data)) }

// takeCid reads a CID from a handle, and closes it.
func takeCid(handle int64) (string, error) {
	if err := failed("add", "", handle); err != nil {
		return "", err
	}
	file := &File{handle: handle}
	defer file.Close()
	text, err := io.ReadAll(file)
	return string(text), err
}

// A call of the host costs: what is small is collected up to this size.
const addPieceBytes = 256 << 10

// AddWriter adds a file piece by piece. It is an io.Writer; Finish gives the CID. Closed, or
// forgotten, without Finish it adds nothing.
type AddWriter struct {
	handle  int64
	waiting bytes.Buffer
	err     error // The first one stays.
}

// NewAddWriter begins a file.
func NewAddWriter() (*AddWriter, error) {
	handle := host.AddOpen()
	if err := failed("add", "", handle); err != nil {
		return nil, err
	}
	return &AddWriter{handle: handle}, nil
}

// Write appends data.
func (w *AddWriter) Write(data []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.waiting.Write(data)
	if w.waiting.Len() >= addPieceBytes {
		w.send()
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(data), nil
}

func (w *AddWriter) send() {
	for w.err == nil && w.waiting.Len() > 0 {
		count := host.Write(w.handle, w.waiting.Bytes())
		if w.err = failed("add", "", count); w.err == nil {
			w.waiting.Next(int(count))
		}
	}
}

// Finish ends the file; its CID.
func (w *AddWriter) Finish() (string, error) {
	w.send()
	if w.err != nil {
		return "", w.err
	}
	w.err = failed("add", "", -int64(BadHandle)) // For whoever writes on.
	handle := w.handle
	w.handle = 0
	return takeCid(host.AddFinish(handle))
}

// Close gives up a file that was not finished; after Finish it does nothing, so it can be deferred.
func (w *AddWriter) Close() error {
	if w.handle == 0 {
		return nil
	}
	handle := w.handle
	w.handle = 0
	w.err = failed("add", "", -int64(BadHandle))
	return failed("close", "", host.Close(handle))
}
