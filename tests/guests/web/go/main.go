// Fetches the URL that the event is; prints status, type and body, or the error's name.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"ipfscompute"
	"ipfscompute/fetch"
)

//go:wasmexport handler
func handler() { ipfscompute.Run(run) }

func main() {}

func run(event []byte) error {
	answer, err := fetch.Client().Get(strings.TrimSpace(string(event)))
	var known ipfscompute.Error
	if errors.As(err, &known) {
		fmt.Println(known.Name())
		return nil
	}
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	fmt.Print(answer.StatusCode, " ", answer.Header.Get("Content-Type"), " ")
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}
