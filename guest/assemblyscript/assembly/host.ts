// The host functions as they are: a negative answer is a negated error number.

@external("ipfs_compute", "ipfsComputeAbiVersion")
export declare function ipfsComputeAbiVersion(): i64;
@external("ipfs_compute", "ipfsComputeLog")
export declare function ipfsComputeLog(text: usize, size: i32): i64;
@external("ipfs_compute", "ipfsComputeGet")
export declare function ipfsComputeGet(path: usize, size: i32): i64;
@external("ipfs_compute", "ipfsComputeLs")
export declare function ipfsComputeLs(path: usize, size: i32): i64;
@external("ipfs_compute", "ipfsComputeAdd")
export declare function ipfsComputeAdd(data: usize, size: i32): i64;
@external("ipfs_compute", "ipfsComputeCurl")
export declare function ipfsComputeCurl(request: usize, size: i32): i64;
@external("ipfs_compute", "ipfsComputeRead")
export declare function ipfsComputeRead(handle: i64, out: usize, capacity: i32): i64;
@external("ipfs_compute", "ipfsComputeReadAt")
export declare function ipfsComputeReadAt(
  handle: i64,
  offset: i64,
  out: usize,
  capacity: i32,
): i64;
@external("ipfs_compute", "ipfsComputeClose")
export declare function ipfsComputeClose(handle: i64): i64;
@external("ipfs_compute", "ipfsComputeAddOpen")
export declare function ipfsComputeAddOpen(): i64;
@external("ipfs_compute", "ipfsComputeWrite")
export declare function ipfsComputeWrite(handle: i64, data: usize, size: i32): i64;
@external("ipfs_compute", "ipfsComputeAddFinish")
export declare function ipfsComputeAddFinish(handle: i64): i64;
