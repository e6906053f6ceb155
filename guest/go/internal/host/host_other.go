//go:build !wasip1

// Package host has the host functions. Here, where there is no host, they are those of Fake.
package host

// Functions are the host functions as they are: a negative answer is a negated error number.
type Functions interface {
	AbiVersion() int64
	Log(text string) int64
	Get(path string) int64
	Ls(path string) int64
	Add(data []byte) int64
	Curl(request string) int64
	Read(handle int64, out []byte) int64
	ReadAt(handle, offset int64, out []byte) int64
	Close(handle int64) int64
	AddOpen() int64
	Write(handle int64, data []byte) int64
	AddFinish(handle int64) int64
}

// Fake is what answers; nobody at first.
var Fake Functions = nobody{}

type nobody struct{}

const unsupported = -7

func (nobody) AbiVersion() int64                 { return 0 }
func (nobody) Log(string) int64                  { return 0 }
func (nobody) Get(string) int64                  { return unsupported }
func (nobody) Ls(string) int64                   { return unsupported }
func (nobody) Add([]byte) int64                  { return unsupported }
func (nobody) Curl(string) int64                 { return unsupported }
func (nobody) Read(int64, []byte) int64          { return unsupported }
func (nobody) ReadAt(int64, int64, []byte) int64 { return unsupported }
func (nobody) Close(int64) int64                 { return unsupported }
func (nobody) AddOpen() int64                    { return unsupported }
func (nobody) Write(int64, []byte) int64         { return unsupported }
func (nobody) AddFinish(int64) int64             { return unsupported }

func AbiVersion() int64                             { return Fake.AbiVersion() }
func Log(text string) int64                         { return Fake.Log(text) }
func Get(path string) int64                         { return Fake.Get(path) }
func Ls(path string) int64                          { return Fake.Ls(path) }
func Add(data []byte) int64                         { return Fake.Add(data) }
func Curl(request string) int64                     { return Fake.Curl(request) }
func Read(handle int64, out []byte) int64           { return Fake.Read(handle, out) }
func ReadAt(handle, offset int64, out []byte) int64 { return Fake.ReadAt(handle, offset, out) }
func Close(handle int64) int64                      { return Fake.Close(handle) }
func AddOpen() int64                                { return Fake.AddOpen() }
func Write(handle int64, data []byte) int64         { return Fake.Write(handle, data) }
func AddFinish(handle int64) int64                  { return Fake.AddFinish(handle) }
