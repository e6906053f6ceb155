// Package fetch sends HTTP requests from a guest of ipfs-compute, where the job and the worker
// allow the host; to a pure job every request is ipfscompute.Refused.
//
//	client := http.Client{Transport: fetch.Transport{}}
//	answer, err := client.Get("https://example.org/")
//
// It is a package of its own because net/http makes a module several times larger.
package fetch

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"ipfscompute"
	"ipfscompute/internal/host"
)

// Transport is an http.RoundTripper that lets the host send the request. The host follows redirects
// itself, and sends a body that is UTF-8 text.
type Transport struct{}

// Client is an http.Client with that transport.
func Client() *http.Client { return &http.Client{Transport: Transport{}} }

// RoundTrip sends a request and is back when the head of the answer is here; the body is read as it
// comes. Errors: those of package ipfscompute, Invalid among them for a body that is no UTF-8 text.
func (Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	text, err := requestText(request)
	if err != nil {
		return nil, err
	}
	handle := host.Curl(text)
	if handle < 0 {
		return nil, ipfscompute.Error(-handle)
	}
	body := &body{handle: handle}
	body.reader = bufio.NewReader(reader(handle))
	answer, err := head(body.reader, request)
	if err != nil {
		body.Close()
		return nil, err
	}
	answer.Body = body
	return answer, nil
}

func requestText(request *http.Request) (string, error) {
	var sent struct {
		Method  string            `json:"method"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers,omitempty"`
		Body    string            `json:"body,omitempty"`
	}
	if request.Body != nil {
		defer request.Body.Close()
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return "", err
		}
		if !utf8.Valid(body) {
			return "", fmt.Errorf("a body that is no UTF-8 text: %w", ipfscompute.Invalid)
		}
		sent.Body = string(body)
	}
	sent.Method = request.Method
	if sent.Method == "" {
		sent.Method = http.MethodGet
	}
	sent.URL = request.URL.String()
	if len(request.Header) > 0 {
		sent.Headers = make(map[string]string)
	}
	for name, values := range request.Header {
		sent.Headers[name] = strings.Join(values, ", ")
	}
	text, err := json.Marshal(sent)
	return string(text), err
}

// head takes the line of JSON before the body.
func head(from *bufio.Reader, request *http.Request) (*http.Response, error) {
	line, err := from.ReadBytes('\n')
	if err != nil && err != io.EOF {
		return nil, err
	}
	var read struct {
		Status  int               `json:"status"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers"`
	}
	if json.Unmarshal(line, &read) != nil || read.Status == 0 {
		return nil, ipfscompute.Malformed
	}
	answer := &http.Response{
		Status:        fmt.Sprintf("%d %s", read.Status, http.StatusText(read.Status)),
		StatusCode:    read.Status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        make(http.Header),
		ContentLength: -1,
		Request:       request,
	}
	for name, value := range read.Headers {
		answer.Header.Set(name, value)
	}
	// After redirects the answer's request is the last one, as of net/http.
	if read.URL != "" && read.URL != request.URL.String() {
		if last, err := url.Parse(read.URL); err == nil {
			answer.Request = request.Clone(request.Context())
			answer.Request.URL = last
		}
	}
	return answer, nil
}

type reader int64

func (r reader) Read(out []byte) (int, error) {
	if len(out) == 0 {
		return 0, nil
	}
	count := host.Read(int64(r), out)
	if count < 0 {
		return 0, ipfscompute.Error(-count)
	}
	if count == 0 {
		return 0, io.EOF
	}
	return int(count), nil
}

type body struct {
	handle int64
	reader *bufio.Reader
}

func (b *body) Read(out []byte) (int, error) { return b.reader.Read(out) }

// Close gives the handle back, once.
func (b *body) Close() error {
	if b.handle != 0 {
		host.Close(b.handle)
		b.handle = 0
	}
	return nil
}
