package fetch_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"ipfscompute"
	"ipfscompute/fakehost"
	"ipfscompute/fetch"
)

const answer = `{"headers":{"content-type":"text/plain","via":"one, two"},"status":201,` +
	`"url":"https://example.org/end"}` + "\nbody\nof two lines"

func TestRequestIsJSONAndTheAnswerIsOneOfNetHTTP(t *testing.T) {
	fake := fakehost.Install(t)
	var sent string
	fake.Web = func(request string) (string, error) {
		sent = request
		return answer, nil
	}
	request, err := http.NewRequest("POST", "https://example.org/x", strings.NewReader("\"17\""))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Add("A", "1")
	request.Header.Add("A", "2")
	got, err := fetch.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	expected := `{"method":"POST","url":"https://example.org/x","headers":{"A":"1, 2"},` +
		`"body":"\"17\""}`
	if sent != expected {
		t.Errorf("sent %s", sent)
	}
	if got.StatusCode != 201 || got.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("got %+v", got)
	}
	if got.Request.URL.String() != "https://example.org/end" {
		t.Errorf("came from %s", got.Request.URL)
	}
	if body, err := io.ReadAll(got.Body); string(body) != "body\nof two lines" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestRefusedRequestsAreErrorsOfThePackage(t *testing.T) {
	fakehost.Install(t)
	_, err := fetch.Client().Get("https://example.org/")
	if !errors.Is(err, ipfscompute.Refused) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

func TestWhatCannotBeSentIsNotSent(t *testing.T) {
	fake := fakehost.Install(t)
	fake.Web = func(string) (string, error) {
		t.Error("it was sent")
		return "", ipfscompute.Network
	}
	_, err := fetch.Client().Post("https://example.org/", "x/y", strings.NewReader("\xff"))
	if !errors.Is(err, ipfscompute.Invalid) {
		t.Errorf("got %v", err)
	}
	ended, end := context.WithCancel(context.Background())
	end()
	request, _ := http.NewRequestWithContext(ended, "GET", "https://example.org/", nil)
	if _, err := (fetch.Transport{}).RoundTrip(request); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnswersThatMakeNoSenseAreMalformed(t *testing.T) {
	for _, text := range []string{"", "{", "{}\n", "[1]\nbody"} {
		fake := fakehost.Install(t)
		fake.Web = func(string) (string, error) { return text, nil }
		if _, err := fetch.Client().Get("https://a.test/"); !errors.Is(err, ipfscompute.Malformed) {
			t.Errorf("%q gave %v", text, err)
		}
	}
}
