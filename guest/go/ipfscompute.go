// Package ipfscompute is what a guest of ipfs-compute written in Go can call: read files and
// folders of IPFS, add files, and log. Package ipfscompute/fetch sends HTTP requests.
//
//	//go:wasmexport handler
//	func handler() { ipfscompute.Run(run) }
//
//	func main() {} // Needed, never called.
//
//	func run(event []byte) error {
//		text, err := ipfscompute.ReadFile(string(event))
//		if err != nil {
//			return err
//		}
//		cid, err := ipfscompute.Add(bytes.ToUpper(text))
//		if err != nil {
//			return err
//		}
//		fmt.Println(cid)
//		return nil
//	}
//
// Build it as a reactor, whose exported functions are called by name:
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o x.wasm .
//
// A path is a CID, or one with names behind it: bafy.../folder/file. A block that cannot be had,
// and a limit of the job that is reached, are no errors here: they end the run. Compiled for
// anything else than wasip1 the package has no host, and every call is Unsupported; package
// ipfscompute/fakehost gives it one for tests.
package ipfscompute

import (
	"fmt"
	"io"
	"os"

	"ipfscompute/internal/host"
)

// AbiVersion is what the host offers; this package needs 1.
func AbiVersion() int64 { return host.AbiVersion() }

// Log writes a line of the job's log, or several: one for each line of the text. A log beyond its
// limit ends the run.
func Log(text string) { host.Log(text) }

// Logf is Log with the arguments of fmt.Sprintf.
func Logf(format string, arguments ...any) { host.Log(fmt.Sprintf(format, arguments...)) }

// Event is what the submitter sent along: all of standard input.
func Event() ([]byte, error) { return io.ReadAll(os.Stdin) }

// Run calls a function with the event, for use in a handler. An error goes to standard error, and
// the run ends with exit status 1.
func Run(function func(event []byte) error) {
	event, err := Event()
	if err == nil {
		err = function(event)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
