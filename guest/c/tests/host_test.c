/// The header against host functions made up here: a folder, a store of what was added, a web page.

#include "ipfs_compute.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        ++checks;                                                                                  \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

enum { handles_max = 64, bytes_max = 1 << 18 };

static int checks;
static struct {
    char data[bytes_max];
    size_t size, at;
    int is_open;
} handles[handles_max];
static int64_t handles_given;
static char last_log[2048], last_request[256];
static int64_t write_error;

static int64_t open_handle(const char* data, size_t size) {
    const int64_t handle = ++handles_given;
    CHECK(handle < handles_max && size <= bytes_max);
    memcpy(handles[handle].data, data, size);
    handles[handle].size = size;
    handles[handle].is_open = 1;
    return handle;
}

static int handles_open(void) {
    int count = 0;
    for (int index = 0; index < handles_max; ++index) {
        count += handles[index].is_open;
    }
    return count;
}

static int is(const char* text, size_t size, const char* expected) {
    return size == strlen(expected) && memcmp(text, expected, size) == 0;
}

int64_t ipfsComputeAbiVersion(void) { return 1; }

int64_t ipfsComputeLog(const char* text, size_t size) {
    memcpy(last_log, text, size);
    last_log[size] = 0;
    return 0;
}

int64_t ipfsComputeGet(const char* path, size_t size) {
    static char large[10000];
    memset(large, 'x', sizeof large);
    return is(path, size, "bafy/a")       ? open_handle("hello", 5)
           : is(path, size, "bafy/large") ? open_handle(large, sizeof large)
           : is(path, size, "bafy")       ? -IPFS_COMPUTE_NOT_A_FILE
                                          : -IPFS_COMPUTE_NOT_FOUND;
}

int64_t ipfsComputeLs(const char* path, size_t size) {
    static const char listing[] =
        "{\"name\":\"a \\\"b\\\",\\\\.txt\",\"cid\":\"bafy-a\",\"type\":\"file\",\"size\":5}\n"
        "{\"name\":\"\\ud83d\\ude00\\u00e9\\u20ac\",\"cid\":\"bafy-d\",\"type\":\"directory\","
        "\"size\":0}\n"
        "{\"name\":\"?\",\"nameHex\":\"ff41\",\"cid\":\"bafy-x\",\"type\":\"symlink\","
        "\"size\":18446744073709551615}\n"
        "{\"name\":\"n\",\"cid\":\"bafy-n\",\"type\":\"moon\",\"size\":1}\n";
    static const char odd[] = "[1,2\n";
    static const char cut[] = "{\"name\":\"a";
    return is(path, size, "bafy")    ? open_handle(listing, strlen(listing))
           : is(path, size, "odd")   ? open_handle(odd, strlen(odd))
           : is(path, size, "cut")   ? open_handle(cut, strlen(cut))
           : is(path, size, "empty") ? open_handle("", 0)
                                     : -IPFS_COMPUTE_NOT_A_DIRECTORY;
}

int64_t ipfsComputeAdd(const void* data, size_t size) {
    char text[64];
    (void)data;
    return open_handle(text, (size_t)snprintf(text, sizeof text, "bafk-%zu", size));
}

int64_t ipfsComputeCurl(const char* request, size_t size) {
    static const char answer[] =
        "{\"headers\":{\"via\":\"one, "
        "two\",\"x\":\"\\\\\"},\"status\":201,\"url\":\"https://x.test/\"}\n"
        "body\nof two lines";
    memcpy(last_request, request, size);
    last_request[size] = 0;
    return strstr(last_request, "closed") ? -IPFS_COMPUTE_REFUSED
           : strstr(last_request, "half") ? open_handle("{\"status\"", 9)
                                          : open_handle(answer, strlen(answer));
}

/// Gives three bytes at most, so that callers must go on.
int64_t ipfsComputeRead(int64_t handle, void* out, size_t capacity) {
    if (handle <= 0 || handle >= handles_max || !handles[handle].is_open) {
        return -IPFS_COMPUTE_BAD_HANDLE;
    }
    const size_t left = handles[handle].size - handles[handle].at;
    size_t count = capacity < 3 ? capacity : 3;
    count = count < left ? count : left;
    memcpy(out, handles[handle].data + handles[handle].at, count);
    handles[handle].at += count;
    return (int64_t)count;
}

int64_t ipfsComputeReadAt(int64_t handle, int64_t offset, void* out, size_t capacity) {
    (void)handle, (void)offset, (void)out, (void)capacity;
    return 0;
}

int64_t ipfsComputeClose(int64_t handle) {
    if (handle <= 0 || handle >= handles_max || !handles[handle].is_open) {
        return -IPFS_COMPUTE_BAD_HANDLE;
    }
    handles[handle].is_open = 0;
    return 0;
}

int64_t ipfsComputeAddOpen(void) { return open_handle("", 0); }

/// Takes at most 50,000 bytes, though the ABI has it take all.
int64_t ipfsComputeWrite(int64_t handle, const void* data, size_t size) {
    if (write_error) {
        return write_error;
    }
    const size_t count = size < 50000 ? size : 50000;
    CHECK(handles[handle].is_open && handles[handle].size + count <= bytes_max);
    memcpy(handles[handle].data + handles[handle].size, data, count);
    handles[handle].size += count;
    return (int64_t)count;
}

int64_t ipfsComputeAddFinish(int64_t handle) {
    char text[64];
    CHECK(ipfsComputeClose(handle) == 0);
    const size_t size = handles[handle].size;
    const char last = size ? handles[handle].data[size - 1] : '-';
    return open_handle(text,
                       (size_t)snprintf(text, sizeof text, "cid of %zu ending in %c", size, last));
}

static void errors_have_their_names(void) {
    CHECK(strcmp(ipfs_compute_error_name(-4), "not_found") == 0);
    CHECK(strcmp(ipfs_compute_error_name(IPFS_COMPUTE_MALFORMED), "malformed") == 0);
    CHECK(strcmp(ipfs_compute_error_name(0), "ok") == 0);
    CHECK(strcmp(ipfs_compute_error_name(-12), "unknown") == 0);
    CHECK(strcmp(ipfs_compute_error_name(INT64_MIN), "unknown") == 0);
}

static void files_are_read_to_their_end_and_closed(void) {
    struct ipfs_compute_bytes bytes;
    CHECK(ipfs_compute_read_file("bafy/a", &bytes) == 0);
    CHECK(strcmp(bytes.data, "hello") == 0 && bytes.size == 5);
    free(bytes.data);
    CHECK(ipfs_compute_read_file("bafy/large", &bytes) == 0);
    CHECK(bytes.size == 10000 && strlen(bytes.data) == 10000);
    free(bytes.data);
    CHECK(ipfs_compute_read_file("bafy", &bytes) == -IPFS_COMPUTE_NOT_A_FILE);
    CHECK(ipfs_compute_read_all(99, &bytes) == -IPFS_COMPUTE_BAD_HANDLE && !bytes.data);
    CHECK(handles_open() == 0);
}

static void listings_give_names_of_every_kind(void) {
    struct ipfs_compute_listing listing;
    struct ipfs_compute_entry entry;
    CHECK(ipfs_compute_list("bafy", &listing) == 0);
    CHECK(ipfs_compute_next(&listing, &entry) == 1);
    CHECK(strcmp(entry.name, "a \"b\",\\.txt") == 0 && strcmp(entry.cid, "bafy-a") == 0);
    CHECK(entry.type == IPFS_COMPUTE_FILE && entry.size == 5);
    CHECK(ipfs_compute_next(&listing, &entry) == 1);
    CHECK(strcmp(entry.name, "\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac") == 0);
    CHECK(entry.type == IPFS_COMPUTE_DIRECTORY);
    CHECK(ipfs_compute_next(&listing, &entry) == 1);
    CHECK(strcmp(entry.name,
                 "\xff"
                 "A") == 0);
    CHECK(entry.size == UINT64_MAX && entry.type == IPFS_COMPUTE_SYMLINK);
    CHECK(ipfs_compute_next(&listing, &entry) == 1 && entry.type == IPFS_COMPUTE_OTHER);
    CHECK(ipfs_compute_next(&listing, &entry) == 0);
    ipfs_compute_list_end(&listing);
    CHECK(ipfs_compute_list("empty", &listing) == 0);
    CHECK(ipfs_compute_next(&listing, &entry) == 0);
    ipfs_compute_list_end(&listing);
    CHECK(handles_open() == 0);
}

static void listings_that_make_no_sense_are_malformed(void) {
    struct ipfs_compute_listing listing;
    struct ipfs_compute_entry entry;
    const char* const paths[] = {"odd", "cut"};
    for (int index = 0; index < 2; ++index) {
        CHECK(ipfs_compute_list(paths[index], &listing) == 0);
        CHECK(ipfs_compute_next(&listing, &entry) == -IPFS_COMPUTE_MALFORMED);
        ipfs_compute_list_end(&listing);
    }
    CHECK(ipfs_compute_list("bafy/a", &listing) == -IPFS_COMPUTE_NOT_A_DIRECTORY);
    CHECK(ipfs_compute_next(&listing, &entry) == 0);
    ipfs_compute_list_end(&listing);
}

static void json_texts_fit_or_are_too_large(void) {
    char out[4];
    CHECK(ipfs_compute_json_text("\"abc\"", out, 4) == 3 && strcmp(out, "abc") == 0);
    CHECK(ipfs_compute_json_text("\"abcd\"", out, 4) == -IPFS_COMPUTE_TOO_LARGE);
    CHECK(ipfs_compute_json_text("\"\\u20ac\"", out, 3) == -IPFS_COMPUTE_TOO_LARGE);
    CHECK(ipfs_compute_json_text("\"\"", out, 0) == -IPFS_COMPUTE_TOO_LARGE);
    const char* const wrong[] = {"\"a", "\"\\", "\"\\u12", "\"\\ud800\"", "\"\\q\"", "7", ""};
    for (size_t index = 0; index < sizeof wrong / sizeof wrong[0]; ++index) {
        CHECK(ipfs_compute_json_text(wrong[index], out, 4) == -IPFS_COMPUTE_MALFORMED);
    }
    CHECK(ipfs_compute_json_text(NULL, out, 4) == -IPFS_COMPUTE_MALFORMED);
    CHECK(ipfs_compute_json_text("\"\\u0000b\"", out, 4) == 2 && out[1] == 'b');
    CHECK(!ipfs_compute_json_member("{\"a\":{\"b\":[1,2]},\"c\"", "c"));
    CHECK(*ipfs_compute_json_member("{\"a\":{\"b\":[1,2]},\"c\":3}", "c") == '3');
    CHECK(!ipfs_compute_json_member("{}", "c"));
}

static void adding_gives_the_cid_and_closes(void) {
    char cid[IPFS_COMPUTE_CID_BYTES_MAX];
    CHECK(ipfs_compute_add("four", 4, cid) == 0 && strcmp(cid, "bafk-4") == 0);
    static struct ipfs_compute_writer writer;
    CHECK(ipfs_compute_writer_open(&writer) == 0);
    CHECK(ipfs_compute_writer_printf(&writer, "%d bottles", 99) == 0);
    CHECK(ipfs_compute_writer_finish(&writer, cid) == 0);
    CHECK(strcmp(cid, "cid of 10 ending in s") == 0);
    static char large[100000];
    memset(large, 'y', sizeof large);
    CHECK(ipfs_compute_writer_open(&writer) == 0);
    CHECK(ipfs_compute_writer_write(&writer, "ab", 2) == 0);
    CHECK(ipfs_compute_writer_write(&writer, large, sizeof large) == 0);
    CHECK(ipfs_compute_writer_write(&writer, "z", 1) == 0);
    CHECK(ipfs_compute_writer_printf(&writer, "%01024d", 0) == -IPFS_COMPUTE_TOO_LARGE);
    CHECK(ipfs_compute_writer_finish(&writer, cid) == 0);
    CHECK(strcmp(cid, "cid of 100003 ending in z") == 0);
    CHECK(handles_open() == 0);
}

static void the_first_error_of_a_writer_stays(void) {
    char cid[IPFS_COMPUTE_CID_BYTES_MAX] = "x";
    static struct ipfs_compute_writer writer;
    CHECK(ipfs_compute_writer_open(&writer) == 0);
    CHECK(ipfs_compute_writer_write(&writer, "a", 1) == 0);
    write_error = -IPFS_COMPUTE_REFUSED;
    CHECK(ipfs_compute_writer_finish(&writer, cid) == -IPFS_COMPUTE_REFUSED && !*cid);
    write_error = 0;
    CHECK(ipfs_compute_writer_write(&writer, "a", 1) == -IPFS_COMPUTE_REFUSED);
    CHECK(handles_open() == 0);
}

static void answers_have_status_headers_and_body(void) {
    struct ipfs_compute_response response;
    char value[16];
    CHECK(ipfs_compute_curl("https://x.test/", &response) == 0 && response.status == 201);
    CHECK(strcmp(last_request, "https://x.test/") == 0);
    CHECK(ipfs_compute_header(&response, "via", value, sizeof value) == 8);
    CHECK(strcmp(value, "one, two") == 0);
    CHECK(ipfs_compute_header(&response, "x", value, sizeof value) == 1 && value[0] == '\\');
    CHECK(ipfs_compute_header(&response, "age", value, sizeof value) == -IPFS_COMPUTE_NOT_FOUND);
    CHECK(ipfs_compute_header(&response, "via", value, 8) == -IPFS_COMPUTE_TOO_LARGE);
    struct ipfs_compute_bytes body;
    CHECK(ipfs_compute_read_all(response.handle, &body) == 0);
    CHECK(strcmp(body.data, "body\nof two lines") == 0);
    free(body.data);
    free(response.head);
    CHECK(ipfs_compute_curl("closed", &response) == -IPFS_COMPUTE_REFUSED && !response.head);
    CHECK(ipfs_compute_curl("half", &response) == -IPFS_COMPUTE_MALFORMED && !response.head);
    CHECK(handles_open() == 0);
}

static void log_formats_and_cuts(void) {
    ipfs_compute_log("%d-%s", 1, "two");
    CHECK(strcmp(last_log, "1-two") == 0);
    ipfs_compute_log("%01024d", 0);
    CHECK(strlen(last_log) == 1023);
}

int main(void) {
    errors_have_their_names();
    files_are_read_to_their_end_and_closed();
    listings_give_names_of_every_kind();
    listings_that_make_no_sense_are_malformed();
    json_texts_fit_or_are_too_large();
    adding_gives_the_cid_and_closes();
    the_first_error_of_a_writer_stays();
    answers_have_status_headers_and_body();
    log_formats_and_cuts();
    struct ipfs_compute_bytes event;
    CHECK(ipfs_compute_event(&event) == 0 && strcmp(event.data, "the event") == 0);
    free(event.data);
    printf("%d checks\n", checks);
    return 0;
}
