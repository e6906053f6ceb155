package ipfscompute

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"

	"ipfscompute/internal/host"
)

// Entry is one entry of a directory. It is an fs.DirEntry, and an fs.FileInfo.
type Entry struct {
	name string
	cid  string
	mode fs.FileMode
	size uint64
}

// Cid is that of the entry: a path by itself.
func (e Entry) Cid() string { return e.cid }

// ReadDir lists the directory at a path, in its own order.
func ReadDir(path string) ([]Entry, error) {
	handle := host.Ls(path)
	if err := failed("readdir", path, handle); err != nil {
		return nil, err
	}
	file := &File{path, handle}
	defer file.Close()
	lines := bufio.NewReaderSize(file, 64<<10)
	var entries []Entry
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return entries, nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return entries, err
		}
		entry, ok := entryOf(line)
		if !ok {
			return entries, failed("readdir", path, -int64(Malformed))
		}
		entries = append(entries, entry)
	}
}

func entryOf(line []byte) (Entry, bool) {
	var read struct {
		Name    *string `json:"name"`
		NameHex string  `json:"nameHex"`
		Cid     string  `json:"cid"`
		Type    string  `json:"type"`
		Size    uint64  `json:"size"`
	}
	if json.Unmarshal(line, &read) != nil || read.Name == nil {
		return Entry{}, false
	}
	entry := Entry{name: *read.Name, cid: read.Cid, size: read.Size}
	if read.NameHex != "" {
		name, err := hex.DecodeString(read.NameHex)
		if err != nil {
			return Entry{}, false
		}
		entry.name = string(name)
	}
	switch read.Type {
	case "file":
		entry.mode = 0o444
	case "directory":
		entry.mode = fs.ModeDir | 0o555
	case "symlink":
		entry.mode = fs.ModeSymlink | 0o444
	default:
		entry.mode = fs.ModeIrregular
	}
	return entry, true
}
