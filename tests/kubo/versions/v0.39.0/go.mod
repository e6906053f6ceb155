module ipfs-compute/tests/kubo

go 1.25

require github.com/ipfs/kubo v0.39.0

// What this Kubo asks for knows the runtime of Go up to 1.25 alone.
require github.com/cockroachdb/swiss v0.0.0-20251224182025-b0f6560f979b
