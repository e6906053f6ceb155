package ipfscompute

import (
	"io"

	"ipfscompute/internal/host"
)

// File is a file of IPFS, open for reading: fetched as it is read, and verified block by block. It
// is an io.ReadCloser and an io.ReaderAt. One goroutine at a time.
type File struct {
	path   string
	handle int64
}

// Open opens the file at a path. Close it: a job has a limit of open handles.
func Open(path string) (*File, error) {
	handle := host.Get(path)
	if err := failed("open", path, handle); err != nil {
		return nil, err
	}
	return &File{path, handle}, nil
}

// Read reads on from where the last Read ended.
func (f *File) Read(out []byte) (int, error) {
	if len(out) == 0 {
		return 0, nil
	}
	count := host.Read(f.handle, out)
	if err := failed("read", f.path, count); err != nil {
		return 0, err
	}
	if count == 0 {
		return 0, io.EOF
	}
	return int(count), nil
}

// ReadAt fills out from offset on, and does not move Read. Fewer bytes come with io.EOF.
func (f *File) ReadAt(out []byte, offset int64) (int, error) {
	done := 0
	for done < len(out) {
		count := host.ReadAt(f.handle, offset+int64(done), out[done:])
		if err := failed("read", f.path, count); err != nil {
			return done, err
		}
		if count == 0 {
			return done, io.EOF
		}
		done += int(count)
	}
	return done, nil
}

// Close gives the handle back.
func (f *File) Close() error { return failed("close", f.path, host.Close(f.handle)) }

// ReadFile is the whole file at a path.
func ReadFile(path string) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}
