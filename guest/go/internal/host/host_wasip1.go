//go:build wasip1

// Package host has the host functions as they are: a negative answer is a negated error number.
package host

import "unsafe"

//go:wasmimport ipfs_compute ipfsComputeAbiVersion
func abiVersion() int64

//go:wasmimport ipfs_compute ipfsComputeLog
func log(text string) int64

//go:wasmimport ipfs_compute ipfsComputeGet
func get(path string) int64

//go:wasmimport ipfs_compute ipfsComputeLs
func ls(path string) int64

//go:wasmimport ipfs_compute ipfsComputeAdd
func add(data *byte, size uint32) int64

//go:wasmimport ipfs_compute ipfsComputeCurl
func curl(request string) int64

//go:wasmimport ipfs_compute ipfsComputeRead
func read(handle int64, out *byte, capacity uint32) int64

//go:wasmimport ipfs_compute ipfsComputeReadAt
func readAt(handle, offset int64, out *byte, capacity uint32) int64

//go:wasmimport ipfs_compute ipfsComputeClose
func closeHandle(handle int64) int64

//go:wasmimport ipfs_compute ipfsComputeAddOpen
func addOpen() int64

//go:wasmimport ipfs_compute ipfsComputeWrite
func write(handle int64, data *byte, size uint32) int64

//go:wasmimport ipfs_compute ipfsComputeAddFinish
func addFinish(handle int64) int64

func AbiVersion() int64         { return abiVersion() }
func Log(text string) int64     { return log(text) }
func Get(path string) int64     { return get(path) }
func Ls(path string) int64      { return ls(path) }
func Add(data []byte) int64     { return add(unsafe.SliceData(data), uint32(len(data))) }
func Curl(request string) int64 { return curl(request) }

func Read(handle int64, out []byte) int64 {
	return read(handle, unsafe.SliceData(out), uint32(len(out)))
}

func ReadAt(handle, offset int64, out []byte) int64 {
	return readAt(handle, offset, unsafe.SliceData(out), uint32(len(out)))
}

func Close(handle int64) int64 { return closeHandle(handle) }
func AddOpen() int64           { return addOpen() }

func Write(handle int64, data []byte) int64 {
	return write(handle, unsafe.SliceData(data), uint32(len(data)))
}

func AddFinish(handle int64) int64 { return addFinish(handle) }
