/// A guest of ipfs-compute.

#include "ipfs_compute.h"

#include <stdio.h>

/// What `--handler handler` calls.
IPFS_COMPUTE_EXPORT(handler) void handler(void) {
    struct ipfs_compute_bytes event;
    int64_t answer = ipfs_compute_event(&event);
    if (answer < 0) {
        ipfs_compute_fail("cannot read", "the event", answer);
    }
    ipfs_compute_log("the event has %zu bytes", event.size);

    char cid[IPFS_COMPUTE_CID_BYTES_MAX];
    answer = ipfs_compute_add(event.data, event.size, cid);
    if (answer < 0) {
        ipfs_compute_fail("cannot add", "the event", answer);
    }
    printf("hello; your event is now %s\n", cid);
    fflush(stdout); // Nothing does it when a handler returns: the module does not end.
    free(event.data);
}
