//go:build !wasip1

// Package fakehost is a host for tests of guests, which then run as plain Go with go test:
//
//	func TestRun(t *testing.T) {
//		fake := fakehost.Install(t)
//		fake.Roots["bafy"] = fstest.MapFS{"a.txt": {Data: []byte("hello")}}
//		...
//	}
package fakehost

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	gopath "path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"ipfscompute"
	"ipfscompute/internal/host"
)

// Host is what the guest meets.
type Host struct {
	// Roots are directories by their CID. What is in them is named by its path.
	Roots map[string]fs.FS
	// Files are single files by their CID. What is added comes here, as "added-1" and so on.
	Files map[string][]byte
	// Listings are texts that Ls gives for a path whatever they say.
	Listings map[string]string
	// Lines are what was logged.
	Lines []string
	// Web answers requests: with the line of JSON and the body, or with an error. Without it every
	// request is refused.
	Web func(request string) (string, error)
	// ReadBytesMax is the most that one read gives, so that callers must go on.
	ReadBytesMax int

	given int64
	added int
	open  map[int64]*content
}

// A real host takes all; a caller that goes on is right with either.
const writeBytesMax = 50_000

type content struct {
	data []byte
	at   int
}

// Install makes a host, and makes it answer until the test ends, which fails where handles are left
// open.
func Install(t testing.TB) *Host {
	t.Helper()
	fake := &Host{
		Roots:        make(map[string]fs.FS),
		Files:        make(map[string][]byte),
		ReadBytesMax: 3,
		open:         make(map[int64]*content),
	}
	before := host.Fake
	host.Fake = fake
	t.Cleanup(func() {
		host.Fake = before
		if len(fake.open) != 0 {
			t.Errorf("%d handles were left open", len(fake.open))
		}
	})
	return fake
}

func no(err ipfscompute.Error) int64 { return -int64(err) }

func (h *Host) opened(data []byte) int64 {
	h.given++
	h.open[h.given] = &content{data: data}
	return h.given
}

// find is the file system of a path and the name in it.
func (h *Host) find(path string) (fs.FS, string, ipfscompute.Error) {
	root, name, _ := strings.Cut(path, "/")
	if name == "" {
		name = "."
	}
	tree := h.Roots[root]
	if tree == nil {
		return nil, "", ipfscompute.NotFound
	}
	if name == "." {
		return tree, name, ipfscompute.NotAFile
	}
	// Of its folder's listing: to ask for the name itself might follow a symbolic link.
	entries, err := fs.ReadDir(tree, gopath.Dir(name))
	if err != nil {
		return nil, "", ipfscompute.NotFound
	}
	at := slices.IndexFunc(entries, func(entry fs.DirEntry) bool {
		return entry.Name() == gopath.Base(name)
	})
	switch {
	case at < 0:
		return nil, "", ipfscompute.NotFound
	case entries[at].IsDir():
		return tree, name, ipfscompute.NotAFile
	case !entries[at].Type().IsRegular():
		return nil, "", ipfscompute.Unsupported
	}
	return tree, name, ipfscompute.NotADirectory
}

func (h *Host) AbiVersion() int64 { return 1 }

func (h *Host) Log(text string) int64 {
	h.Lines = append(h.Lines, strings.Split(strings.TrimSuffix(text, "\n"), "\n")...)
	return 0
}

func (h *Host) Get(path string) int64 {
	if data, found := h.Files[path]; found {
		return h.opened(data)
	}
	tree, name, what := h.find(path)
	if what != ipfscompute.NotADirectory {
		return no(what)
	}
	data, err := fs.ReadFile(tree, name)
	if err != nil {
		return no(ipfscompute.Malformed)
	}
	return h.opened(data)
}

func (h *Host) Ls(path string) int64 {
	if text, found := h.Listings[path]; found {
		return h.opened([]byte(text))
	}
	if _, found := h.Files[path]; found {
		return no(ipfscompute.NotADirectory)
	}
	tree, name, what := h.find(path)
	if what != ipfscompute.NotAFile {
		return no(what)
	}
	entries, err := fs.ReadDir(tree, name)
	if err != nil {
		return no(ipfscompute.Malformed)
	}
	var text strings.Builder
	for _, entry := range entries {
		line, _ := json.Marshal(listed(path, entry))
		fmt.Fprintf(&text, "%s\n", line)
	}
	return h.opened([]byte(text.String()))
}

func listed(path string, entry fs.DirEntry) map[string]any {
	line := map[string]any{
		"name": strings.ToValidUTF8(entry.Name(), "\ufffd"),
		"cid":  path + "/" + entry.Name(),
		"type": "file",
		"size": 0,
	}
	if !utf8.ValidString(entry.Name()) {
		line["nameHex"] = hex.EncodeToString([]byte(entry.Name()))
	}
	switch {
	case entry.IsDir():
		line["type"] = "directory"
	case entry.Type()&fs.ModeSymlink != 0:
		line["type"] = "symlink"
	default:
		if info, err := entry.Info(); err == nil {
			line["size"] = info.Size()
		}
	}
	return line
}

func (h *Host) Add(data []byte) int64 {
	h.added++
	cid := fmt.Sprintf("added-%d", h.added)
	h.Files[cid] = append([]byte{}, data...)
	return h.opened([]byte(cid))
}

func (h *Host) Curl(request string) int64 {
	if h.Web == nil {
		return no(ipfscompute.Refused)
	}
	answer, err := h.Web(request)
	if known, ok := err.(ipfscompute.Error); ok {
		return no(known)
	}
	if err != nil {
		return no(ipfscompute.Network)
	}
	return h.opened([]byte(answer))
}

func (h *Host) Read(handle int64, out []byte) int64 {
	open := h.open[handle]
	if open == nil {
		return no(ipfscompute.BadHandle)
	}
	count := copy(out[:min(len(out), h.ReadBytesMax)], open.data[open.at:])
	open.at += count
	return int64(count)
}

func (h *Host) ReadAt(handle, offset int64, out []byte) int64 {
	open := h.open[handle]
	if open == nil {
		return no(ipfscompute.BadHandle)
	}
	if offset < 0 {
		return no(ipfscompute.Invalid)
	}
	from := min(offset, int64(len(open.data)))
	return int64(copy(out[:min(len(out), h.ReadBytesMax)], open.data[from:]))
}

func (h *Host) Close(handle int64) int64 {
	if h.open[handle] == nil {
		return no(ipfscompute.BadHandle)
	}
	delete(h.open, handle)
	return 0
}

func (h *Host) AddOpen() int64 { return h.opened(nil) }

func (h *Host) Write(handle int64, data []byte) int64 {
	open := h.open[handle]
	if open == nil {
		return no(ipfscompute.BadHandle)
	}
	taken := data[:min(len(data), writeBytesMax)]
	open.data = append(open.data, taken...)
	return int64(len(taken))
}

func (h *Host) AddFinish(handle int64) int64 {
	open := h.open[handle]
	if open == nil {
		return no(ipfscompute.BadHandle)
	}
	delete(h.open, handle)
	return h.Add(open.data)
}
