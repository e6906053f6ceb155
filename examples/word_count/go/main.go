// Counts the words of every file in a folder of IPFS, with the output of ../rust to the byte. The
// event names the folder: its CID, or JSON {"directory":"<CID>"}.
package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"ipfscompute"
)

const (
	filesALogLine = 50
	readBytes     = 256 << 10
)

// What --handler handler calls.
//
//go:wasmexport handler
func handler() { ipfscompute.Run(run) }

func main() {} // Needed, never called.

type counts struct {
	words        map[string]*uint64
	files, bytes uint64
	total        uint64
	buffer       []byte
}

type word struct {
	text  string
	count uint64
}

func (c *counts) addFile(file io.Reader) error {
	var letters []byte // Goes on across two reads.
	for {
		count, err := file.Read(c.buffer)
		c.bytes += uint64(count)
		for _, letter := range c.buffer[:count] {
			if small := letter | 0x20; small >= 'a' && small <= 'z' {
				letters = append(letters, small)
			} else if len(letters) > 0 {
				c.addWord(letters)
				letters = letters[:0]
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if len(letters) > 0 {
		c.addWord(letters)
	}
	c.files++
	if c.files%filesALogLine == 0 {
		ipfscompute.Logf("counted %d files, %d bytes", c.files, c.bytes)
	}
	return nil
}

func (c *counts) addWord(letters []byte) {
	count := c.words[string(letters)]
	if count == nil {
		count = new(uint64)
		c.words[string(letters)] = count
	}
	*count++
	c.total++
}

// Most frequent first, equals in the order of the alphabet.
func (c *counts) sorted() []word {
	list := make([]word, 0, len(c.words))
	for text, count := range c.words {
		list = append(list, word{text, *count})
	}
	slices.SortFunc(list, func(left, right word) int {
		return cmp.Or(cmp.Compare(right.count, left.count), strings.Compare(left.text, right.text))
	})
	return list
}

// add writes the counts as JSON in their order, which a map of encoding/json would not keep.
func (c *counts) add(list []word) (string, error) {
	file, err := ipfscompute.NewAddWriter()
	if err != nil {
		return "", err
	}
	defer file.Close()
	out := bufio.NewWriter(file)
	fmt.Fprintf(out, `{"files":%d,"bytes":%d,"words":%d,"counts":{`, c.files, c.bytes, c.total)
	for index, word := range list {
		if index > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(out, `"%s":%d`, word.text, word.count)
	}
	out.WriteString("}}\n")
	if err := out.Flush(); err != nil {
		return "", err
	}
	return file.Finish()
}

func folderOf(event []byte) (string, error) {
	text := strings.TrimSpace(string(event))
	if strings.HasPrefix(text, "{") {
		var read struct{ Directory string }
		if err := json.Unmarshal(event, &read); err != nil {
			return "", err
		}
		text = read.Directory
	}
	if text == "" {
		return "", errors.New("the event names no folder; give --event with its CID")
	}
	return text, nil
}

func run(event []byte) error {
	folder, err := folderOf(event)
	if err != nil {
		return err
	}
	c := counts{words: make(map[string]*uint64), buffer: make([]byte, readBytes)}
	tree := ipfscompute.DirFS(folder)
	err = fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := tree.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		return c.addFile(file)
	})
	if err != nil {
		return err
	}
	list := c.sorted()
	cid, err := c.add(list)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintf(out, "%d words, %d different, in %d files\n", c.total, len(list), c.files)
	for _, word := range list[:min(10, len(list))] {
		fmt.Fprintf(out, "%9d  %s\n", word.count, word.text)
	}
	fmt.Fprintf(out, "all counts: %s\n", cid)
	return out.Flush()
}
