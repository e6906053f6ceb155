package ipfscompute

import (
	"io/fs"
	"math"
	"time"
)

// Name may hold bytes that are not UTF-8; such an entry is opened by its Cid.
func (e Entry) Name() string { return e.name }

// IsDir says whether it is a directory.
func (e Entry) IsDir() bool { return e.mode.IsDir() }

// Type is the type alone.
func (e Entry) Type() fs.FileMode { return e.mode.Type() }

// Mode is that of something to read: content of IPFS does not change.
func (e Entry) Mode() fs.FileMode { return e.mode }

// Size counts the bytes of a file; 0 for a directory.
func (e Entry) Size() int64 { return int64(min(e.size, math.MaxInt64)) }

// ModTime is the zero time.
func (e Entry) ModTime() time.Time { return time.Time{} }

// Sys is nil.
func (e Entry) Sys() any { return nil }

// Info is the entry itself.
func (e Entry) Info() (fs.FileInfo, error) { return e, nil }

func (e Entry) String() string { return fs.FormatDirEntry(e) }
