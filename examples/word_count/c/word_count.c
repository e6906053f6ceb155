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

static _Noreturn void fail(const char* why) {
    fprintf(stderr, "word_count: %s\n", why);
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
            fail("more different words than its table holds");
        }
        words[at].text = strdup(text);
        if (!words[at].text) {
            fail("no memory");
        }
    }
    ++words[at].count;
    ++total;
}

static void add_file(const char* cid) {
    static unsigned char buffer[read_bytes];
    static char word[word_bytes_max + 1];
    const int64_t file = ipfs_compute_open(cid);
    if (file < 0) {
        ipfs_compute_fail("cannot open", cid, file);
    }
    size_t size = 0;
    int64_t count;
    while ((count = ipfsComputeRead(file, buffer, sizeof buffer)) > 0) {
        bytes += (uint64_t)count;
        for (int64_t index = 0; index < count; ++index) {
            const unsigned char c = buffer[index] | 0x20;
            if (c >= 'a' && c <= 'z' && buffer[index] < 0x80) {
                if (size == word_bytes_max) {
                    fail("a word too long");
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
        ipfs_compute_fail("cannot read", cid, count);
    }
    if (size > 0) {
        word[size] = 0;
        count_word(word, size);
    }
    ipfsComputeClose(file);
    if (++files % files_a_log_line == 0) {
        ipfs_compute_log(
            "counted %llu files, %llu bytes", (unsigned long long)files, (unsigned long long)bytes);
    }
}

static void add_folder(const char* cid) {
    struct ipfs_compute_listing listing;
    int64_t more = ipfs_compute_list(cid, &listing);
    struct ipfs_compute_entry entry;
    while (more >= 0 && (more = ipfs_compute_next(&listing, &entry)) > 0) {
        if (entry.type == IPFS_COMPUTE_DIRECTORY) {
            add_folder(entry.cid);
        } else if (entry.type == IPFS_COMPUTE_FILE) {
            add_file(entry.cid);
        }
    }
    if (more < 0) {
        ipfs_compute_fail("cannot list", cid, more);
    }
    ipfs_compute_list_end(&listing);
}

static int by_count_then_text(const void* left, const void* right) {
    const struct word* a = left;
    const struct word* b = right;
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    return strcmp(a->text, b->text);
}

static void add_counts(char cid[IPFS_COMPUTE_CID_BYTES_MAX]) {
    static struct ipfs_compute_writer json; // Keeps its first error until the end.
    ipfs_compute_writer_open(&json);
    ipfs_compute_writer_printf(&json,
                               "{\"files\":%llu,\"bytes\":%llu,\"words\":%llu,\"counts\":{",
                               (unsigned long long)files,
                               (unsigned long long)bytes,
                               (unsigned long long)total);
    for (uint64_t index = 0; index < different; ++index) {
        ipfs_compute_writer_write(&json, index == 0 ? "\"" : ",\"", index == 0 ? 1 : 2);
        ipfs_compute_writer_write(&json, words[index].text, strlen(words[index].text));
        ipfs_compute_writer_printf(&json, "\":%llu", (unsigned long long)words[index].count);
    }
    ipfs_compute_writer_write(&json, "}}\n", 3);
    const int64_t answer = ipfs_compute_writer_finish(&json, cid);
    if (answer < 0) {
        ipfs_compute_fail("cannot add", "the counts", answer);
    }
}

/// What `--handler handler` calls.
IPFS_COMPUTE_EXPORT(handler) void handler(void) {
    struct ipfs_compute_bytes event;
    const int64_t answer = ipfs_compute_event(&event);
    if (answer < 0) {
        ipfs_compute_fail("cannot read", "the event", answer);
    }
    char* folder = event.data + strspn(event.data, " \n");
    if (*folder == '{') {
        folder = strstr(folder, "\"directory\"");
        folder = folder ? strchr(folder + strlen("\"directory\""), '"') : NULL;
        folder = folder ? folder + 1 : event.data + event.size;
    }
    folder[strcspn(folder, " \n\"")] = 0;
    if (!*folder) {
        fail("the event names no folder; give --event with its CID");
    }
    add_folder(folder);
    size_t used = 0;
    for (size_t slot = 0; slot < slots; ++slot) {
        if (words[slot].text) {
            words[used++] = words[slot];
        }
    }
    qsort(words, used, sizeof words[0], by_count_then_text);
    char cid[IPFS_COMPUTE_CID_BYTES_MAX];
    add_counts(cid);
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
