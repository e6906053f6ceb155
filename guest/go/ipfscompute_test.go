package ipfscompute_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"ipfscompute"
	"ipfscompute/fakehost"
)

func TestReadFileReadsToTheEndAndCloses(t *testing.T) {
	fake := fakehost.Install(t)
	fake.Files["bafk"] = []byte("hello, world")
	text, err := ipfscompute.ReadFile("bafk")
	if string(text) != "hello, world" || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
}

func TestFileIsAReaderAndAReaderAt(t *testing.T) {
	fake := fakehost.Install(t)
	fake.Files["bafk"] = []byte("hello")
	file, err := ipfscompute.Open("bafk")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	out := make([]byte, 8)
	if count, err := file.ReadAt(out, 1); count != 4 || err != io.EOF || string(out[:4]) != "ello" {
		t.Errorf("ReadAt gave %d, %v, %q", count, err, out)
	}
	if count, err := file.ReadAt(out[:4], 1); count != 4 || err != nil {
		t.Errorf("ReadAt of exactly the rest gave %d, %v", count, err)
	}
	if _, err := file.ReadAt(out, -1); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a negative offset gave %v", err)
	}
	if err := iotest.TestReader(file, []byte("hello")); err != nil {
		t.Error(err)
	}
}

func TestErrorsHaveNamesAndMatchThoseOfTheStandardLibrary(t *testing.T) {
	fake := fakehost.Install(t)
	fake.Roots["bafy"] = fstest.MapFS{"a": {}}
	_, err := ipfscompute.Open("none")
	if !errors.Is(err, ipfscompute.NotFound) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err.Error() != "open none: not_found" {
		t.Errorf("got %q", err)
	}
	if _, err = ipfscompute.Open("bafy"); !errors.Is(err, ipfscompute.NotAFile) {
		t.Errorf("got %v", err)
	}
	if _, err = ipfscompute.ReadDir("bafy/a"); !errors.Is(err, ipfscompute.NotADirectory) {
		t.Errorf("got %v", err)
	}
	// The table of the ABI page.
	names := strings.Fields("invalid bad_pointer bad_handle not_found not_a_file not_a_directory " +
		"unsupported too_large refused network malformed")
	for index, name := range names {
		if got := ipfscompute.Error(index + 1).Name(); got != name {
			t.Errorf("%d is %q, not %q", index+1, got, name)
		}
	}
	for _, number := range []ipfscompute.Error{0, -1, 12, 1 << 40} {
		if got := number.Name(); got != fmt.Sprintf("error %d", int64(number)) {
			t.Errorf("%d is %q", int64(number), got)
		}
	}
}

func TestWithoutAHostEverythingIsUnsupported(t *testing.T) {
	if _, err := ipfscompute.Add(nil); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

func TestReadDirGivesNamesOfEveryKind(t *testing.T) {
	fake := fakehost.Install(t)
	fake.Roots["bafy"] = fstest.MapFS{
		"a \"b\"": {Data: []byte("12345")},
		"d/x":     {},
		"l":       {Mode: fs.ModeSymlink, Data: []byte("d")},
		"\xff":    {},
	}
	entries, err := ipfscompute.ReadDir("bafy")
	if err != nil || len(entries) != 4 {
		t.Fatal(entries, err)
	}
	if e := entries[0]; e.Name() != "a \"b\"" || e.Size() != 5 || e.Cid() != "bafy/a \"b\"" {
		t.Errorf("got %+v", e)
	}
	if !entries[1].IsDir() || entries[2].Type() != fs.ModeSymlink || entries[3].Name() != "\xff" {
		t.Errorf("got %+v", entries)
	}
}

func TestReadDirThatMakesNoSenseIsMalformed(t *testing.T) {
	for _, text := range []string{"[1,2\n", "{}\n", `{"name":"a","nameHex":"f"}`, "\n"} {
		fake := fakehost.Install(t)
		fake.Listings = map[string]string{"odd": text}
		if _, err := ipfscompute.ReadDir("odd"); !errors.Is(err, ipfscompute.Malformed) {
			t.Errorf("%q gave %v", text, err)
		}
	}
}

func tree() fstest.MapFS {
	return fstest.MapFS{
		"one.txt":        {Data: []byte("one")},
		"empty":          {},
		"more/two.txt":   {Data: []byte("two, and more than one read")},
		"more/deep/file": {Data: []byte("three")},
	}
}

func TestDirFSIsAFileSystem(t *testing.T) {
	fake := fakehost.Install(t)
	fake.Roots["bafy"] = tree()
	err := fstest.TestFS(ipfscompute.DirFS("bafy"),
		"one.txt", "empty", "more/two.txt", "more/deep/file")
	if err != nil {
		t.Error(err)
	}
}

func TestDirFSWalksAndReadsAndSeeks(t *testing.T) {
	fake := fakehost.Install(t)
	fake.Roots["bafy"] = tree()
	files := ipfscompute.DirFS("bafy")
	var walked []string
	err := fs.WalkDir(files, ".", func(name string, _ fs.DirEntry, err error) error {
		walked = append(walked, name)
		return err
	})
	expected := []string{
		".", "empty", "more", "more/deep", "more/deep/file", "more/two.txt", "one.txt",
	}
	if err != nil || !slices.Equal(walked, expected) {
		t.Errorf("walked %q, %v", walked, err)
	}
	file, err := files.Open("more/two.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.(io.Seeker).Seek(-4, io.SeekEnd); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(file); string(rest) != "read" || err != nil {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestDirFSNamesWhatItCannotOpen(t *testing.T) {
	fake := fakehost.Install(t)
	fake.Roots["bafy"] = fstest.MapFS{
		"file": {Data: []byte("one")},
		"link": {Mode: fs.ModeSymlink, Data: []byte("file")},
	}
	files := ipfscompute.DirFS("bafy")
	for name, expected := range map[string]error{
		"none":       fs.ErrNotExist,
		"file/below": fs.ErrNotExist,
		"../up":      fs.ErrInvalid,
		"link":       errors.ErrUnsupported,
	} {
		_, err := files.Open(name)
		var where *fs.PathError
		if !errors.Is(err, expected) || !errors.As(err, &where) || where.Path != name {
			t.Errorf("%s gave %v", name, err)
		}
	}
	if _, err := ipfscompute.DirFS("elsewhere").Open("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := fs.ReadFile(files, "."); !errors.Is(err, ipfscompute.NotAFile) {
		t.Errorf("got %v", err)
	}
}

func TestAddGivesTheCid(t *testing.T) {
	fake := fakehost.Install(t)
	cid, err := ipfscompute.Add([]byte("four"))
	if err != nil || string(fake.Files[cid]) != "four" {
		t.Errorf("got %q, %v", cid, err)
	}
}

func TestAddWriterSendsAll(t *testing.T) {
	fake := fakehost.Install(t)
	writer, err := ipfscompute.NewAddWriter()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	large := strings.Repeat("0123456789", 50_000)
	fmt.Fprintf(writer, "%d bottles", 99)
	io.WriteString(writer, large)
	io.WriteString(writer, "end")
	cid, err := writer.Finish()
	if err != nil || string(fake.Files[cid]) != "99 bottles"+large+"end" {
		t.Errorf("got %q, %v", cid, err)
	}
	if _, err := writer.Write([]byte("late")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a write after Finish gave %v", err)
	}
	if _, err := writer.Finish(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a second Finish gave %v", err)
	}
}

func TestAddWriterClosedAddsNothing(t *testing.T) {
	fake := fakehost.Install(t)
	writer, err := ipfscompute.NewAddWriter()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(writer, "never")
	if err := writer.Close(); err != nil || len(fake.Files) != 0 {
		t.Errorf("got %v, %v", err, fake.Files)
	}
	if _, err := writer.Finish(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Finish after Close gave %v", err)
	}
}

func TestLogfFormats(t *testing.T) {
	fake := fakehost.Install(t)
	ipfscompute.Logf("%d-%s\nnext", 1, "two")
	if !slices.Equal(fake.Lines, []string{"1-two", "next"}) {
		t.Errorf("got %q", fake.Lines)
	}
}
