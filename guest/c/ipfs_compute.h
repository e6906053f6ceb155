#pragma once
/// What a guest of ipfs-compute written in C can call: the host functions as they are. A negative
/// answer is a negated error number of the list below (docs/formats/abi.md).

#include <stddef.h>
#include <stdint.h>

#define IPFS_COMPUTE_IMPORT(name) __attribute__((import_module("ipfs_compute"), import_name(#name)))

enum ipfs_compute_error {
    IPFS_COMPUTE_INVALID = 1,
    IPFS_COMPUTE_BAD_POINTER = 2,
    IPFS_COMPUTE_BAD_HANDLE = 3,
    IPFS_COMPUTE_NOT_FOUND = 4,
    IPFS_COMPUTE_NOT_A_FILE = 5,
    IPFS_COMPUTE_NOT_A_DIRECTORY = 6,
    IPFS_COMPUTE_UNSUPPORTED = 7,
    IPFS_COMPUTE_TOO_LARGE = 8,
    IPFS_COMPUTE_REFUSED = 9,
    IPFS_COMPUTE_NETWORK = 10,
    IPFS_COMPUTE_MALFORMED = 11
};

/// What the host offers; this header needs 1.
IPFS_COMPUTE_IMPORT(ipfsComputeAbiVersion) int64_t ipfsComputeAbiVersion(void);
/// One line on the worker's log and in the job's log.
IPFS_COMPUTE_IMPORT(ipfsComputeLog) int64_t ipfsComputeLog(const char* text, size_t size);
/// A handle that reads the file at a path such as bafy.../folder/file.
IPFS_COMPUTE_IMPORT(ipfsComputeGet) int64_t ipfsComputeGet(const char* path, size_t size);
/// A handle that reads one JSON object a line: name, cid, type, size.
IPFS_COMPUTE_IMPORT(ipfsComputeLs) int64_t ipfsComputeLs(const char* path, size_t size);
/// Adds these bytes; a handle that reads back the CID.
IPFS_COMPUTE_IMPORT(ipfsComputeAdd) int64_t ipfsComputeAdd(const void* data, size_t size);
/// Sends a request (a URL or JSON); a handle that reads one JSON line, then the body.
IPFS_COMPUTE_IMPORT(ipfsComputeCurl) int64_t ipfsComputeCurl(const char* request, size_t size);
/// Bytes read, 0 at the end.
IPFS_COMPUTE_IMPORT(ipfsComputeRead)
int64_t ipfsComputeRead(int64_t handle, void* out, size_t capacity);
IPFS_COMPUTE_IMPORT(ipfsComputeReadAt)
int64_t ipfsComputeReadAt(int64_t handle, int64_t offset, void* out, size_t capacity);
IPFS_COMPUTE_IMPORT(ipfsComputeClose) int64_t ipfsComputeClose(int64_t handle);
/// A handle to write a file to that is added.
IPFS_COMPUTE_IMPORT(ipfsComputeAddOpen) int64_t ipfsComputeAddOpen(void);
IPFS_COMPUTE_IMPORT(ipfsComputeWrite)
int64_t ipfsComputeWrite(int64_t handle, const void* data, size_t size);
/// Ends the file; a handle that reads back the CID.
IPFS_COMPUTE_IMPORT(ipfsComputeAddFinish) int64_t ipfsComputeAddFinish(int64_t handle);
