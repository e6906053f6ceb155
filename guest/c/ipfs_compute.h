#pragma once
/// What a guest of ipfs-compute written in C can call. One header and nothing to link: the host
/// functions as they are (ipfsCompute...), and helpers around them (ipfs_compute_...).
///
///     clang --target=wasm32-wasi --sysroot=/usr -mexec-model=reactor -O2 -o x.wasm x.c
///
/// Answers are int64_t: what the function says, or a negated number of `enum ipfs_compute_error`;
/// `ipfs_compute_error_name(answer)` names it. Handles are positive; what is left open is closed at
/// the end of the run. A path is a CID, or one with names behind it: bafy.../folder/file. A block
/// that cannot be had, and a limit of the job that is reached, are no answers: they end the run.
///
/// Compiled for anything else than WebAssembly the host functions are ordinary ones, so that a test
/// can make them up.

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __wasm__
#define IPFS_COMPUTE_IMPORT(name) __attribute__((import_module("ipfs_compute"), import_name(#name)))
/// Before a function: makes it one that `--handler NAME` can call.
#define IPFS_COMPUTE_EXPORT(name) __attribute__((export_name(#name)))
#else
#define IPFS_COMPUTE_IMPORT(name)
#define IPFS_COMPUTE_EXPORT(name)
#endif

enum ipfs_compute_error {
    IPFS_COMPUTE_INVALID = 1,     ///< An argument makes no sense.
    IPFS_COMPUTE_BAD_POINTER = 2, ///< Bytes outside of the guest's memory.
    IPFS_COMPUTE_BAD_HANDLE = 3,  ///< No such handle is open, or it is not for this.
    IPFS_COMPUTE_NOT_FOUND = 4,   ///< The path leads nowhere.
    IPFS_COMPUTE_NOT_A_FILE = 5,
    IPFS_COMPUTE_NOT_A_DIRECTORY = 6,
    IPFS_COMPUTE_UNSUPPORTED = 7, ///< Well-formed, but not something this host does.
    IPFS_COMPUTE_TOO_LARGE = 8,   ///< Beyond a limit of the host.
    IPFS_COMPUTE_REFUSED = 9,     ///< The job or the worker does not allow it.
    IPFS_COMPUTE_NETWORK = 10,    ///< The network did not do it.
    IPFS_COMPUTE_MALFORMED = 11   ///< Content is not what its type says it is.
};

/// What the host offers; this header needs 1.
IPFS_COMPUTE_IMPORT(ipfsComputeAbiVersion) int64_t ipfsComputeAbiVersion(void);
/// Each line of `text` becomes one of the job's log; 0.
IPFS_COMPUTE_IMPORT(ipfsComputeLog) int64_t ipfsComputeLog(const char* text, size_t size);
/// A handle that reads the file at a path.
IPFS_COMPUTE_IMPORT(ipfsComputeGet) int64_t ipfsComputeGet(const char* path, size_t size);
/// A handle that reads one JSON object a line: name, cid, type, size.
IPFS_COMPUTE_IMPORT(ipfsComputeLs) int64_t ipfsComputeLs(const char* path, size_t size);
/// Adds these bytes; a handle that reads back the CID.
IPFS_COMPUTE_IMPORT(ipfsComputeAdd) int64_t ipfsComputeAdd(const void* data, size_t size);
/// Sends a request (a URL or JSON); a handle that reads one JSON line, then the body.
IPFS_COMPUTE_IMPORT(ipfsComputeCurl) int64_t ipfsComputeCurl(const char* request, size_t size);
/// Bytes read: perhaps fewer than the capacity; 0 at the end.
IPFS_COMPUTE_IMPORT(ipfsComputeRead)
int64_t ipfsComputeRead(int64_t handle, void* out, size_t capacity);
/// As ipfsComputeRead, from `offset` on; where ipfsComputeRead stands is not moved. Not for the
/// answers of ipfsComputeCurl.
IPFS_COMPUTE_IMPORT(ipfsComputeReadAt)
int64_t ipfsComputeReadAt(int64_t handle, int64_t offset, void* out, size_t capacity);
/// 0. The number is never given again.
IPFS_COMPUTE_IMPORT(ipfsComputeClose) int64_t ipfsComputeClose(int64_t handle);
/// A handle to write a file to that is added; closed before ipfsComputeAddFinish it adds nothing.
IPFS_COMPUTE_IMPORT(ipfsComputeAddOpen) int64_t ipfsComputeAddOpen(void);
/// The size: it takes all.
IPFS_COMPUTE_IMPORT(ipfsComputeWrite)
int64_t ipfsComputeWrite(int64_t handle, const void* data, size_t size);
/// Ends the file; a handle that reads back the CID. The handle to write is gone.
IPFS_COMPUTE_IMPORT(ipfsComputeAddFinish) int64_t ipfsComputeAddFinish(int64_t handle);

/// The name of an error as the ABI page has it ("not_found"), for a negative answer or the number
/// itself; "unknown" for a number that this header does not know, "ok" for 0.
static inline const char* ipfs_compute_error_name(int64_t answer) {
    static const char* const names[] = {"ok",
                                        "invalid",
                                        "bad_pointer",
                                        "bad_handle",
                                        "not_found",
                                        "not_a_file",
                                        "not_a_directory",
                                        "unsupported",
                                        "too_large",
                                        "refused",
                                        "network",
                                        "malformed"};
    const uint64_t number = answer < 0 ? 0 - (uint64_t)answer : (uint64_t)answer;
    return number < sizeof names / sizeof names[0] ? names[number] : "unknown";
}

/// One line on the job's log, with the arguments of printf; at most 1023 bytes of it.
__attribute__((format(printf, 1, 2))) static inline void ipfs_compute_log(const char* format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0) {
        const size_t size = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
        (void)ipfsComputeLog(line, size);
    }
}

/// Ends the run with exit status 1 and a line such as "cannot list bafy...: not_a_directory" on
/// standard error. `answer` is a negative one.
__attribute__((noreturn)) static inline void
ipfs_compute_fail(const char* what, const char* path, int64_t answer) {
    fflush(stdout);
    fprintf(stderr, "%s %s: %s\n", what, path, ipfs_compute_error_name(answer));
    exit(1);
}

/// Bytes that the caller frees: free(bytes.data). A 0 stands behind them that `size` does not
/// count.
struct ipfs_compute_bytes {
    char* data;
    size_t size;
};

/// The file at `path`, to read.
static inline int64_t ipfs_compute_open(const char* path) {
    return ipfsComputeGet(path, strlen(path));
}

/// Reads until `capacity` bytes are there or the end is; how many.
static inline int64_t ipfs_compute_read_full(int64_t handle, void* out, size_t capacity) {
    size_t size = 0;
    while (size < capacity) {
        const int64_t count = ipfsComputeRead(handle, (char*)out + size, capacity - size);
        if (count < 0) {
            return count;
        }
        if (count == 0) {
            break;
        }
        size += (size_t)count;
    }
    return (int64_t)size;
}

/// Makes room for `more` bytes and a 0; whether there was memory. Without, nothing is left to free.
static inline bool
ipfs_compute_grow_(struct ipfs_compute_bytes* bytes, size_t* capacity, size_t more) {
    if (*capacity - bytes->size > more) {
        return true;
    }
    const size_t wanted = *capacity * 2 + more + 1;
    char* data = wanted > *capacity ? (char*)realloc(bytes->data, wanted) : NULL;
    if (!data) {
        free(bytes->data);
        bytes->data = NULL;
        bytes->size = 0;
        return false;
    }
    bytes->data = data;
    *capacity = wanted;
    return true;
}

/// All that is left to read of a handle, which is closed whatever happens; 0. Where memory is out:
/// too_large.
static inline int64_t ipfs_compute_read_all(int64_t handle, struct ipfs_compute_bytes* out) {
    size_t capacity = 0;
    int64_t count = 0;
    out->data = NULL;
    out->size = 0;
    do {
        if (!ipfs_compute_grow_(out, &capacity, 4096)) {
            count = -IPFS_COMPUTE_TOO_LARGE;
            break;
        }
        count = ipfsComputeRead(handle, out->data + out->size, capacity - out->size - 1);
        out->size += count > 0 ? (size_t)count : 0;
    } while (count > 0);
    (void)ipfsComputeClose(handle);
    if (count < 0) {
        free(out->data);
        out->data = NULL;
        out->size = 0;
        return count;
    }
    out->data[out->size] = 0;
    return 0;
}

/// The whole file at `path`; 0.
static inline int64_t ipfs_compute_read_file(const char* path, struct ipfs_compute_bytes* out) {
    const int64_t handle = ipfs_compute_open(path);
    return handle < 0 ? handle : ipfs_compute_read_all(handle, out);
}

/// The event: what the submitter sent along, all of standard input; 0. Where memory is out:
/// too_large.
static inline int64_t ipfs_compute_event(struct ipfs_compute_bytes* out) {
    size_t capacity = 0, count = 0;
    out->data = NULL;
    out->size = 0;
    do {
        if (!ipfs_compute_grow_(out, &capacity, 4096)) {
            return -IPFS_COMPUTE_TOO_LARGE;
        }
        count = fread(out->data + out->size, 1, capacity - out->size - 1, stdin);
        out->size += count;
    } while (count > 0);
    out->data[out->size] = 0;
    return 0;
}

/// Room for a CID as text and its 0; no CID of a host is longer.
enum { IPFS_COMPUTE_CID_BYTES_MAX = 256 };

/// Reads a CID from a handle of ipfsComputeAdd or ipfsComputeAddFinish, and closes it; 0.
static inline int64_t ipfs_compute_take_cid(int64_t handle, char cid[IPFS_COMPUTE_CID_BYTES_MAX]) {
    cid[0] = 0;
    if (handle < 0) {
        return handle;
    }
    const int64_t size = ipfs_compute_read_full(handle, cid, IPFS_COMPUTE_CID_BYTES_MAX - 1);
    (void)ipfsComputeClose(handle);
    cid[size < 0 ? 0 : size] = 0;
    return size < 0 ? size : 0;
}

/// Adds a file; `cid` is its CID; 0.
static inline int64_t
ipfs_compute_add(const void* data, size_t size, char cid[IPFS_COMPUTE_CID_BYTES_MAX]) {
    return ipfs_compute_take_cid(ipfsComputeAdd(data, size), cid);
}

/// A file that is added piece by piece. Collects small writes, since each call of the host costs.
/// The first error stays: later writes do nothing, and ipfs_compute_writer_finish gives it.
///
///     static struct ipfs_compute_writer out; // It is large: not on the stack.
///     ipfs_compute_writer_open(&out);
///     ipfs_compute_writer_printf(&out, "%d files\n", files);
///     if (ipfs_compute_writer_finish(&out, cid) < 0) ...
struct ipfs_compute_writer {
    int64_t handle;
    int64_t error;
    size_t waiting;
    char buffer[1 << 16];
};

/// Begins a file; 0.
static inline int64_t ipfs_compute_writer_open(struct ipfs_compute_writer* writer) {
    writer->handle = ipfsComputeAddOpen();
    writer->error = writer->handle < 0 ? writer->handle : 0;
    writer->waiting = 0;
    return writer->error;
}

static inline void
ipfs_compute_writer_send_(struct ipfs_compute_writer* writer, const char* data, size_t size) {
    while (size > 0 && writer->error == 0) {
        const int64_t count = ipfsComputeWrite(writer->handle, data, size);
        if (count < 0) {
            writer->error = count;
            (void)ipfsComputeClose(writer->handle);
            return;
        }
        data += count;
        size -= (size_t)count;
    }
}

/// Appends; 0.
static inline int64_t
ipfs_compute_writer_write(struct ipfs_compute_writer* writer, const void* data, size_t size) {
    if (size > sizeof writer->buffer - writer->waiting) {
        ipfs_compute_writer_send_(writer, writer->buffer, writer->waiting);
        writer->waiting = 0;
    }
    if (size > sizeof writer->buffer) {
        ipfs_compute_writer_send_(writer, (const char*)data, size);
    } else if (size > 0) {
        memcpy(writer->buffer + writer->waiting, data, size);
        writer->waiting += size;
    }
    return writer->error;
}

/// Appends what printf would print; 0. At most 1023 bytes: beyond, nothing, and too_large.
__attribute__((format(printf, 2, 3))) static inline int64_t
ipfs_compute_writer_printf(struct ipfs_compute_writer* writer, const char* format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text) {
        return -IPFS_COMPUTE_TOO_LARGE;
    }
    return ipfs_compute_writer_write(writer, text, (size_t)length);
}

/// Ends the file; `cid` is its CID; 0, or the first error there was.
static inline int64_t ipfs_compute_writer_finish(struct ipfs_compute_writer* writer,
                                                 char cid[IPFS_COMPUTE_CID_BYTES_MAX]) {
    cid[0] = 0;
    ipfs_compute_writer_send_(writer, writer->buffer, writer->waiting);
    writer->waiting = 0;
    if (writer->error < 0) {
        return writer->error;
    }
    return ipfs_compute_take_cid(ipfsComputeAddFinish(writer->handle), cid);
}

/// Behind the JSON string that begins at `at`; NULL if it does not end.
static inline const char* ipfs_compute_json_string_end_(const char* at) {
    for (++at; *at && *at != '"'; ++at) {
        at += *at == '\\' && at[1] ? 1 : 0;
    }
    return *at ? at + 1 : NULL;
}

/// Behind the JSON value that begins at `at`; NULL if it does not end.
static inline const char* ipfs_compute_json_end_(const char* at) {
    for (int depth = 0; at && *at;) {
        if (depth == 0 && strchr(",}]\n", *at)) {
            return at;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        at = *at == '"' ? ipfs_compute_json_string_end_(at) : at + 1;
    }
    return at;
}

/// The value of the member `name` of the JSON object at `json`; NULL if there is none. For JSON as
/// the host writes it: no blanks, and names of members without escapes.
static inline const char* ipfs_compute_json_member(const char* json, const char* name) {
    const size_t size = strlen(name);
    while (json && (*json == '{' || *json == ',') && json[1] == '"') {
        const char* key = json + 2;
        const char* value = ipfs_compute_json_string_end_(json + 1);
        if (!value || *value != ':') {
            return NULL;
        }
        if ((size_t)(value - key) == size + 1 && memcmp(key, name, size) == 0) {
            return value + 1;
        }
        json = ipfs_compute_json_end_(value + 1);
    }
    return NULL;
}

/// The value of four hexadecimal digits; -1 if they are none.
static inline int32_t ipfs_compute_json_unit_(const char* digits) {
    int32_t value = 0;
    for (int index = 0; index < 4; ++index) {
        const char c = digits[index];
        const char* found =
            c ? strchr("0123456789abcdef", c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
        if (!found) {
            return -1;
        }
        value = value * 16 + (int32_t)(strlen("0123456789abcdef") - strlen(found));
    }
    return value;
}

/// Writes a code point as UTF-8; how many bytes.
static inline size_t ipfs_compute_utf8_(uint32_t point, char out[4]) {
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    const size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t index = size - 1; index > 0; --index, point >>= 6) {
        out[index] = (char)(0x80 | (point & 0x3f));
    }
    out[0] = (char)(((0xf00U >> size) & 0xf0U) | point);
    return size;
}

/// The escape behind the backslash at `*at`, which is moved behind it, as UTF-8; how many bytes, 0
/// if it is no escape.
static inline size_t ipfs_compute_json_escape_(const char** at, char out[4]) {
    const char c = (*at)[1];
    const char* plain = c ? strchr("\"\"\\\\//n\nt\tr\rb\bf\f", c) : NULL;
    if (plain) {
        out[0] = plain[1];
        *at += 2;
        return 1;
    }
    int32_t point = c == 'u' ? ipfs_compute_json_unit_(*at + 2) : -1;
    if (point < 0) {
        return 0;
    }
    *at += 6;
    if (point >= 0xd800 && point < 0xdc00 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        const int32_t low = ipfs_compute_json_unit_(*at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
            *at += 6;
        }
    }
    return point >= 0xd800 && point < 0xe000 ? 0 : ipfs_compute_utf8_((uint32_t)point, out);
}

/// The JSON string at `value` without its escapes, with a 0 behind it; its size. Errors: malformed
/// if it is no string, too_large if it and the 0 do not fit into `capacity`.
static inline int64_t ipfs_compute_json_text(const char* value, char* out, size_t capacity) {
    size_t size = 0;
    if (!value || *value != '"') {
        return -IPFS_COMPUTE_MALFORMED;
    }
    for (const char* at = value + 1; *at != '"';) {
        char piece[4];
        size_t count = 1;
        if (*at == '\\') {
            count = ipfs_compute_json_escape_(&at, piece);
        } else {
            piece[0] = *at++;
        }
        if (count == 0 || (count == 1 && !piece[0] && !at[-1])) {
            return -IPFS_COMPUTE_MALFORMED;
        }
        if (size + count >= capacity) {
            return -IPFS_COMPUTE_TOO_LARGE;
        }
        memcpy(out + size, piece, count);
        size += count;
    }
    if (size >= capacity) {
        return -IPFS_COMPUTE_TOO_LARGE;
    }
    out[size] = 0;
    return (int64_t)size;
}

enum ipfs_compute_type {
    IPFS_COMPUTE_FILE,
    IPFS_COMPUTE_DIRECTORY,
    IPFS_COMPUTE_SYMLINK,
    IPFS_COMPUTE_OTHER
};

/// One entry of a directory.
struct ipfs_compute_entry {
    /// As it is, with a 0 behind it; a name may hold any byte but 0 and '/'.
    char name[1024];
    char cid[IPFS_COMPUTE_CID_BYTES_MAX];
    enum ipfs_compute_type type;
    uint64_t size; ///< Of a file, its bytes.
};

/// The entries of a directory, in its order.
///
///     struct ipfs_compute_listing listing;
///     struct ipfs_compute_entry entry;
///     int64_t more = ipfs_compute_list(path, &listing);
///     while (more >= 0 && (more = ipfs_compute_next(&listing, &entry)) > 0) { ... }
///     ipfs_compute_list_end(&listing);
struct ipfs_compute_listing {
    struct ipfs_compute_bytes text;
    const char* at;
};

/// Lists the directory at `path`; 0.
static inline int64_t ipfs_compute_list(const char* path, struct ipfs_compute_listing* listing) {
    listing->text.data = NULL;
    listing->at = "";
    const int64_t handle = ipfsComputeLs(path, strlen(path));
    const int64_t answer = handle < 0 ? handle : ipfs_compute_read_all(handle, &listing->text);
    listing->at = answer < 0 ? "" : listing->text.data;
    return answer;
}

/// Frees what a listing holds, also after an error.
static inline void ipfs_compute_list_end(struct ipfs_compute_listing* listing) {
    free(listing->text.data);
    listing->text.data = NULL;
    listing->at = "";
}

/// The bytes that the hexadecimal digits in `text` stand for take its place; how many.
static inline int64_t ipfs_compute_unhex_(char* text) {
    size_t size = 0;
    for (const char* at = text; *at; at += 2, ++size) {
        char digits[5] = {'0', '0', at[0], at[1], 0};
        const int32_t byte = ipfs_compute_json_unit_(digits);
        if (byte < 0) {
            return -IPFS_COMPUTE_MALFORMED;
        }
        text[size] = (char)byte;
    }
    text[size] = 0;
    return (int64_t)size;
}

/// The next entry: 1, or 0 at the end. Errors: too_large for a name beyond `entry->name`,
/// malformed.
static inline int64_t ipfs_compute_next(struct ipfs_compute_listing* listing,
                                        struct ipfs_compute_entry* entry) {
    const char* line = listing->at;
    if (!*line) {
        return 0;
    }
    const char* end = strchr(line, '\n');
    listing->at = end ? end + 1 : "";
    char hex[2 * sizeof entry->name + 2];
    const char* raw = ipfs_compute_json_member(line, "nameHex");
    int64_t size = raw ? ipfs_compute_json_text(raw, hex, sizeof hex)
                       : ipfs_compute_json_text(ipfs_compute_json_member(line, "name"),
                                                entry->name,
                                                sizeof entry->name);
    if (raw && size >= 0) {
        size = ipfs_compute_unhex_(hex);
        if (size >= (int64_t)sizeof entry->name) {
            return -IPFS_COMPUTE_TOO_LARGE;
        }
        memcpy(entry->name, hex, size < 0 ? 0 : (size_t)size + 1);
    }
    char type[16];
    const int64_t cid = ipfs_compute_json_text(
        ipfs_compute_json_member(line, "cid"), entry->cid, sizeof entry->cid);
    const int64_t kind =
        ipfs_compute_json_text(ipfs_compute_json_member(line, "type"), type, sizeof type);
    const char* bytes = ipfs_compute_json_member(line, "size");
    if (size < 0 || cid < 0 || kind < 0 || !bytes) {
        return size < 0 ? size : -IPFS_COMPUTE_MALFORMED;
    }
    entry->type = strcmp(type, "file") == 0        ? IPFS_COMPUTE_FILE
                  : strcmp(type, "directory") == 0 ? IPFS_COMPUTE_DIRECTORY
                  : strcmp(type, "symlink") == 0   ? IPFS_COMPUTE_SYMLINK
                                                   : IPFS_COMPUTE_OTHER;
    entry->size = strtoull(bytes, NULL, 10);
    return 1;
}

/// The answer to an HTTP request. The body is read from `handle`, which the caller closes; `head`
/// is the line of JSON before it, which the caller frees.
struct ipfs_compute_response {
    int status;
    int64_t handle;
    char* head;
};

/// Sends a request: a URL, or JSON {"method","url","headers","body"}; 0 when the head of the answer
/// is here. Refused unless the job and the worker allow the host, and always to a pure job.
static inline int64_t ipfs_compute_curl(const char* request,
                                        struct ipfs_compute_response* response) {
    struct ipfs_compute_bytes head = {NULL, 0};
    size_t capacity = 0;
    response->head = NULL;
    response->status = 0;
    response->handle = ipfsComputeCurl(request, strlen(request));
    int64_t count = response->handle < 0 ? response->handle : 1;
    while (count > 0) { // A byte at a time: what follows the line is the body.
        if (!ipfs_compute_grow_(&head, &capacity, 512)) {
            count = -IPFS_COMPUTE_TOO_LARGE;
            break;
        }
        count = ipfsComputeRead(response->handle, head.data + head.size, 1);
        if (count > 0 && head.data[head.size++] == '\n') {
            head.data[head.size] = 0;
            const char* status = ipfs_compute_json_member(head.data, "status");
            response->head = head.data;
            response->status = status ? atoi(status) : 0;
            return 0;
        }
    }
    if (response->handle >= 0) {
        (void)ipfsComputeClose(response->handle);
        response->handle = -1;
    }
    free(head.data);
    return count < 0 ? count : -IPFS_COMPUTE_MALFORMED;
}

/// The header `name`, in lower case, of an answer; its size. Errors: not_found if it has none,
/// too_large if it does not fit.
static inline int64_t ipfs_compute_header(const struct ipfs_compute_response* response,
                                          const char* name,
                                          char* out,
                                          size_t capacity) {
    const char* headers = ipfs_compute_json_member(response->head, "headers");
    const char* value = ipfs_compute_json_member(headers, name);
    return value ? ipfs_compute_json_text(value, out, capacity) : -IPFS_COMPUTE_NOT_FOUND;
}

#ifdef __cplusplus
}
#endif
