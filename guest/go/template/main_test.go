package main

import (
	"strings"
	"testing"

	"ipfscompute/fakehost"
)

func TestRunAddsTheEvent(t *testing.T) {
	fake := fakehost.Install(t)
	var out strings.Builder
	if err := run([]byte("an event"), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != "hello; your event is now added-1\n" {
		t.Errorf("it printed %q", out.String())
	}
	if string(fake.Files["added-1"]) != "an event" {
		t.Errorf("it added %q", fake.Files)
	}
}
