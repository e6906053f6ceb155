module ipfs-compute/tests/kubo

go 1.26.2

require github.com/ipfs/kubo v0.41.0
