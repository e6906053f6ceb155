// A guest of ipfs-compute.
package main

import (
	"fmt"
	"io"
	"os"

	"ipfscompute"
)

// What --handler handler calls.
//
//go:wasmexport handler
func handler() {
	ipfscompute.Run(func(event []byte) error { return run(event, os.Stdout) })
}

func main() {} // Needed, never called.

func run(event []byte, out io.Writer) error {
	ipfscompute.Logf("the event has %d bytes", len(event))

	cid, err := ipfscompute.Add(event)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "hello; your event is now", cid)
	return err
}
