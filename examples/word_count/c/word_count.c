/// Counts the words of every file in a folder of IPFS, with the output of ../rust to the byte. The
/// event names the folder: its CID, or JSON {"directory":"<CID>"}.

#include "ipfs_compute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { slots = 1 << 20, read_bytes = 1 << 18, word_bytes_max = 1 << 16, files_a_log_line = 50 };

struct word {
    char* text;
    uint64_t count;
};

static struct word words[slots];
static uint64_t different, total, files, bytes;

static _Noreturn void fail(const char* why, int64_t number) {
    fprintf(stderr, "word_count: %s (%lld)\n", why, (long long)number);
    exit(1);
}

static void count_word(const char* text, size_t size) {
    uint64_t hash = 14695981039346656037u; // FNV-1a.
    for (size_t index = 0; index < size; ++index) {
        hash = (hash ^ (unsigned char)text[index]) * 1099511628211u;
    }
    size_t at = hash % slots;
    while (words[at].text && strcmp(words[at].text, text) != 0) {
        at = (at + 1) % slots;
    }
    if (!words[at].text) {
        if (++different > slots / 2) {
            fail("more different words than its table holds", slots / 2);
        }
        words[at].text = strdup(text);
        if (!words[at].text) {
            fail("no memory", 0);
        }
    }
    ++words[at].count;
    ++total;
}

static void add_file(const char* cid) {
    static unsigned char buffer[read_bytes];
    static char word[word_bytes_max + 1];
    const int64_t file = ipfsComputeGet(cid, strlen(cid));
    if (file < 0) {
        fail("cannot open a file", file);
    }
    size_t size = 0;
    int64_t count;
    while ((count = ipfsComputeRead(file, buffer, sizeof buffer)) > 0) {
        bytes += (uint64_t)count;
        for (int64_t index = 0; index < count; ++index) {
            const unsigned char c = buffer[index] | 0x20;
            if (c >= 'a' && c <= 'z' && buffer[index] < 0x80) {
                if (size == word_bytes_max) {
                    fail("a word too long", word_bytes_max);
                }
                word[size++] = (char)c;
            } else if (size > 0) {
                word[size] = 0;
                count_word(word, size);
                size = 0;
            }
        }
    }
    if (count < 0) {
        fail("cannot read a file", count);
    }
    if (size > 0) {
        word[size] = 0;
        count_word(word, size);
    }
    ipfsComputeClose(file);
    if (++files % files_a_log_line == 0) {
        char line[80];
        const int length = snprintf(line,
                                    sizeof line,
                                    "counted %llu files, %llu bytes",
                                    (unsigned long long)files,
                                    (unsigned long long)bytes);
        ipfsComputeLog(line, (size_t)length);
    }
}

/// The text member `name` of one line of a listing, in place. CIDs and types have no escapes.
static char* member(char* line, const char* name) {
    char* found = strstr(line, name);
    return found ? found + strlen(name) : NULL;
}

/// All that a handle gives, with a 0 at its end. The caller frees it.
static char* read_all(int64_t handle) {
    size_t size = 0, capacity = 4096;
    char* text = malloc(capacity);
    for (;;) {
        if (!text) {
            fail("no memory", 0);
        }
        const int64_t count = ipfsComputeRead(handle, text + size, capacity - size - 1);
        if (count < 0) {
            fail("cannot read", count);
        }
        if (count == 0) {
            break;
        }
        size += (size_t)count;
        if (capacity - size < 1024) {
            text = realloc(text, capacity *= 2);
        }
    }
    text[size] = 0;
    ipfsComputeClose(handle);
    return text;
}

static void add_folder(const char* cid) {
    const int64_t listing = ipfsComputeLs(cid, strlen(cid));
    if (listing < 0) {
        fail("cannot list the folder", listing);
    }
    char* text = read_all(listing);
    for (char* line = text; *line;) {
        char* end = strchr(line, '\n');
        *end = 0;
        // The last of each: a name may hold anything, but its quotes are escaped.
        char* type = member(line, "\",\"type\":\"");
        char* entry = member(line, "\",\"cid\":\"");
        if (!entry) {
            entry = member(line, ",\"cid\":\"");
        }
        if (!type || !entry) {
            fail("a listing that makes no sense", 0);
        }
        *strchr(entry, '"') = 0;
        if (strncmp(type, "directory", 9) == 0) {
            add_folder(entry);
        } else if (strncmp(type, "file", 4) == 0) {
            add_file(entry);
        }
        line = end + 1;
    }
    free(text);
}

static int by_count_then_text(const void* left, const void* right) {
    const struct word* a = left;
    const struct word* b = right;
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    return strcmp(a->text, b->text);
}

/// Appends to the file being added, in pieces.
static void put(int64_t file, const char* text, size_t size) {
    static char waiting[read_bytes];
    static size_t used;
    if (!text || used + size > sizeof waiting) {
        const int64_t answer = ipfsComputeWrite(file, waiting, used);
        if (answer < 0) {
            fail("cannot add", answer);
        }
        used = 0;
    }
    if (text) {
        memcpy(waiting + used, text, size);
        used += size;
    }
}

static char* add_counts(void) {
    const int64_t file = ipfsComputeAddOpen();
    if (file < 0) {
        fail("cannot add", file);
    }
    char head[160];
    int length = snprintf(head,
                          sizeof head,
                          "{\"files\":%llu,\"bytes\":%llu,\"words\":%llu,\"counts\":{",
                          (unsigned long long)files,
                          (unsigned long long)bytes,
                          (unsigned long long)total);
    put(file, head, (size_t)length);
    for (uint64_t index = 0; index < different; ++index) {
        put(file, index == 0 ? "\"" : ",\"", index == 0 ? 1 : 2);
        put(file, words[index].text, strlen(words[index].text));
        length = snprintf(head, sizeof head, "\":%llu", (unsigned long long)words[index].count);
        put(file, head, (size_t)length);
    }
    put(file, "}}\n", 3);
    put(file, NULL, 0);
    const int64_t cid = ipfsComputeAddFinish(file);
    if (cid < 0) {
        fail("cannot add", cid);
    }
    return read_all(cid);
}

/// What `--handler handler` calls.
__attribute__((export_name("handler"))) void handler(void) {
    static char event[4096];
    const size_t size = fread(event, 1, sizeof event - 1, stdin);
    event[size] = 0;
    char* folder = event + strspn(event, " \n");
    if (*folder == '{') {
        folder = strstr(folder, "\"directory\"");
        folder = folder ? strchr(folder + strlen("\"directory\""), '"') : NULL;
        folder = folder ? folder + 1 : event + size;
    }
    folder[strcspn(folder, " \n\"")] = 0;
    if (!*folder) {
        fail("the event names no folder; give --event with its CID", 0);
    }
    add_folder(folder);
    size_t used = 0;
    for (size_t slot = 0; slot < slots; ++slot) {
        if (words[slot].text) {
            words[used++] = words[slot];
        }
    }
    qsort(words, used, sizeof words[0], by_count_then_text);
    char* cid = add_counts();
    printf("%llu words, %llu different, in %llu files\n",
           (unsigned long long)total,
           (unsigned long long)different,
           (unsigned long long)files);
    for (uint64_t index = 0; index < 10 && index < different; ++index) {
        printf("%9llu  %s\n", (unsigned long long)words[index].count, words[index].text);
    }
    printf("all counts: %s\n", cid);
    fflush(stdout);
}
