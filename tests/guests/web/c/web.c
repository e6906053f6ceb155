/// Fetches the URL that the event is; prints status, type and body, or the error's name.

#include "ipfs_compute.h"

IPFS_COMPUTE_EXPORT(handler) void handler(void) {
    struct ipfs_compute_bytes event;
    if (ipfs_compute_event(&event) < 0) {
        ipfs_compute_fail("cannot read", "the event", -IPFS_COMPUTE_TOO_LARGE);
    }
    event.data[strcspn(event.data, "\n")] = 0;
    struct ipfs_compute_response response;
    const int64_t failed = ipfs_compute_curl(event.data, &response);
    if (failed < 0) {
        printf("%s\n", ipfs_compute_error_name(failed));
        fflush(stdout);
        return;
    }
    char type[64];
    struct ipfs_compute_bytes body;
    if (ipfs_compute_header(&response, "content-type", type, sizeof type) < 0 ||
        ipfs_compute_read_all(response.handle, &body) < 0) {
        exit(1);
    }
    printf("%d %s %s", response.status, type, body.data);
    fflush(stdout);
    free(body.data);
    free(response.head);
    free(event.data);
}
