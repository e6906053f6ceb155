package ipfscompute

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// DirFS is the directory at a path as a file system: an fs.FS with fs.ReadDirFS, fs.ReadFileFS,
// fs.StatFS and fs.SubFS. Files of it are io.ReaderAt and io.Seeker too. Symbolic links are listed,
// and not followed. One goroutine at a time.
func DirFS(root string) fs.FS { return &dirFS{root: root} }

type dirFS struct {
	root string
	// The directory that was listed last: what it holds never changes, and who lists mostly looks
	// at the entries next.
	listed  string
	entries []Entry
}

func (d *dirFS) path(operation, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: operation, Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		return d.root, nil
	}
	return d.root + "/" + name, nil
}

// named says the name of the caller in an error, not the whole path.
func named(err error, operation, name string) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		return &fs.PathError{Op: operation, Path: name, Err: inner.Err}
	}
	return err
}

func (d *dirFS) list(operation, name string) ([]Entry, error) {
	place, err := d.path(operation, name)
	if err != nil {
		return nil, err
	}
	if d.listed == place {
		return d.entries, nil
	}
	entries, err := ReadDir(place)
	if err != nil {
		return nil, named(err, operation, name)
	}
	slices.SortFunc(entries, func(left, right Entry) int {
		return strings.Compare(left.name, right.name)
	})
	d.listed, d.entries = place, entries
	return entries, nil
}

// find is the entry of a name in its folder's listing.
func (d *dirFS) find(operation, name string) (Entry, error) {
	if _, err := d.path(operation, name); err != nil {
		return Entry{}, err
	}
	if name == "." {
		_, err := d.list(operation, name)
		return Entry{name: ".", cid: d.root, mode: fs.ModeDir | 0o555}, err
	}
	entries, err := d.list(operation, path.Dir(name))
	if err != nil {
		var inner *fs.PathError
		if errors.As(err, &inner) && errors.Is(inner.Err, NotADirectory) {
			inner.Err = NotFound // A file has nothing below it.
		}
		return Entry{}, named(err, operation, name)
	}
	at, found := slices.BinarySearchFunc(entries, path.Base(name), func(e Entry, name string) int {
		return strings.Compare(e.name, name)
	})
	if !found {
		return Entry{}, &fs.PathError{Op: operation, Path: name, Err: NotFound}
	}
	return entries[at], nil
}

func (d *dirFS) Open(name string) (fs.File, error) {
	entry, err := d.find("open", name)
	if err != nil {
		return nil, err
	}
	if entry.IsDir() {
		return &openDir{fs: d, name: name, entry: entry}, nil
	}
	if !entry.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: Unsupported}
	}
	file, err := Open(entry.cid)
	if err != nil {
		return nil, named(err, "open", name)
	}
	file.path = name
	return &openFile{file, io.NewSectionReader(file, 0, entry.Size()), entry}, nil
}

func (d *dirFS) Stat(name string) (fs.FileInfo, error) { return d.find("stat", name) }

func (d *dirFS) ReadFile(name string) ([]byte, error) {
	file, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

func (d *dirFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := d.list("readdir", name)
	if err != nil {
		return nil, err
	}
	return dirEntries(entries), nil
}

func (d *dirFS) Sub(name string) (fs.FS, error) {
	place, err := d.path("sub", name)
	if err != nil {
		return nil, err
	}
	return &dirFS{root: place}, nil
}

func dirEntries(entries []Entry) []fs.DirEntry {
	list := make([]fs.DirEntry, len(entries))
	for index, entry := range entries {
		list[index] = entry
	}
	return list
}

// openFile is a file whose size is known, and which therefore can seek.
type openFile struct {
	file *File
	*io.SectionReader
	entry Entry
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.entry, nil }
func (f *openFile) Close() error               { return f.file.Close() }

type openDir struct {
	fs    *dirFS
	name  string
	entry Entry
	at    int
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.entry, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: NotAFile}
}

func (d *openDir) ReadDir(count int) ([]fs.DirEntry, error) {
	entries, err := d.fs.list("readdir", d.name)
	if err != nil {
		return nil, err
	}
	left := entries[d.at:]
	if count > 0 {
		if len(left) == 0 {
			return nil, io.EOF
		}
		left = left[:min(count, len(left))]
	}
	d.at += len(left)
	return dirEntries(left), nil
}
