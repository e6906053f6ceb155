package ipfscompute

import (
	"errors"
	"io/fs"
	"strconv"
)

// Error is why a host function did not do it. Test with errors.Is, for one of these or for
// fs.ErrNotExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed and errors.ErrUnsupported, which
// they match.
type Error int64

const (
	Invalid       Error = 1  // An argument makes no sense.
	BadPointer    Error = 2  // Bytes outside of the guest's memory.
	BadHandle     Error = 3  // What is used was closed, or it is not for this.
	NotFound      Error = 4  // The path leads nowhere.
	NotAFile      Error = 5  // The path leads to something else than a file.
	NotADirectory Error = 6  // The path leads to something else than a directory.
	Unsupported   Error = 7  // Well-formed, but not something this host does.
	TooLarge      Error = 8  // Beyond a limit of the host.
	Refused       Error = 9  // The job or the worker does not allow it.
	Network       Error = 10 // The network did not do it; never in a pure job.
	Malformed     Error = 11 // Content is not what its type says it is.
)

var errorNames = [...]string{
	Invalid:       "invalid",
	BadPointer:    "bad_pointer",
	BadHandle:     "bad_handle",
	NotFound:      "not_found",
	NotAFile:      "not_a_file",
	NotADirectory: "not_a_directory",
	Unsupported:   "unsupported",
	TooLarge:      "too_large",
	Refused:       "refused",
	Network:       "network",
	Malformed:     "malformed",
}

// Name is the error's name on the ABI page, such as "not_found".
func (e Error) Name() string {
	if e >= Invalid && int(e) < len(errorNames) {
		return errorNames[e]
	}
	return "error " + strconv.FormatInt(int64(e), 10)
}

// Error is the name.
func (e Error) Error() string { return e.Name() }

// Is makes errors.Is find the errors of the standard library.
func (e Error) Is(target error) bool {
	switch e {
	case NotFound:
		return target == fs.ErrNotExist
	case Refused:
		return target == fs.ErrPermission
	case Invalid:
		return target == fs.ErrInvalid
	case BadHandle:
		return target == fs.ErrClosed
	case Unsupported:
		return target == errors.ErrUnsupported
	}
	return false
}

// failed is nil for an answer that is none of an error.
func failed(operation, path string, answer int64) error {
	if answer >= 0 {
		return nil
	}
	return &fs.PathError{Op: operation, Path: path, Err: Error(-answer)}
}
