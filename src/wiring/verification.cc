#include "wiring/verification.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/unique_fd.h"
#include "blockstore/embedded/embedded_store.h"
#include "wiring/stores.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::wiring {
namespace {

// --- what the child says, a line each: a letter, and words with a tab between them ---
//
// k KEY        about to look at this key (hexadecimal)
// n COUNT      so many blocks are in order since the last n
// f SUBJECT FATE NAME WHAT MORE
// o            the store is open
// e CODE TEXT  this error ended it
// .            the end

constexpr std::uint64_t blocks_per_line = 256;
/// Ranges that a child is killed by, doubled each time, begin with this share of all digests.
constexpr unsigned skipped_bits_first = 48;

std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    std::ranges::replace(text, '\t', ' ');
    return text;
}

class Child {
public:
    Child(int to_parent, const VerifyOptions& options) : fd_(to_parent), options_(options) {}

    /// The child's whole life.
    void run(const config::Home& home, const config::Settings& settings, const std::string& from) {
        Result<void> done = verify(home, settings, from);
        if (!done) {
            say("e\t" + std::to_string(static_cast<int>(done.error().code)) + "\t" +
                one_line(done.error().message));
        }
        say(".");
    }

private:
    void say(std::string line) {
        line.push_back('\n');
        std::string_view rest = line;
        while (!rest.empty()) {
            const ssize_t count = ::write(fd_, rest.data(), rest.size());
            if (count < 0 && errno != EINTR) {
                ::_exit(1); // Nobody listens any more.
            }
            rest.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
        }
    }

    void say_sound() {
        if (sound_ != 0) {
            say("n\t" + std::to_string(std::exchange(sound_, 0)));
        }
    }

    void say_finding(Finding::Subject subject,
                     Finding::Fate fate,
                     const std::string& name,
                     const std::string& what,
                     const std::string& more) {
        say_sound();
        say("f\t" + std::to_string(static_cast<int>(subject)) + "\t" +
            std::to_string(static_cast<int>(fate)) + "\t" + one_line(name) + "\t" + one_line(what) +
            "\t" + one_line(more));
    }

    Result<void>
    verify(const config::Home& home, const config::Settings& settings, const std::string& from) {
        const std::unique_ptr<Stores> stores = TRY(Stores::open(home, settings));
        EmbeddedStore& store = stores->embedded();
        say("o");
        std::uint64_t expected = 0;
        if (from.empty()) {
            TRY(verify_pins(store));
            expected = TRY(store.repo_stat()).blocks;
        }
        std::uint64_t visited = 0;
        TRY(store.visit_blocks(from, [&](const StoredBlock& stored) -> Result<void> {
            ++visited;
            say("k\t" + to_hex(bytes_of(stored.key)));
            std::optional<Damage> damage = TRY(store.verify(stored.key));
            if (damage) {
                repair(*stores, *damage);
                return {};
            }
            if (!stored.is_sound) {
                doubtful_.insert(stored.key);
                return {};
            }
            if (++sound_ == blocks_per_line) {
                say_sound();
            }
            return {};
        }));
        TRY(report_hidden(*stores, from));
        TRY(report_orphans(store));
        say_sound();
        // Blocks that are removed meanwhile make the second number smaller.
        expected = std::min(expected, TRY(store.repo_stat()).blocks + dropped_);
        if (visited < expected) {
            say_finding(Finding::Subject::range,
                        Finding::Fate::left,
                        "the first",
                        "the tables count " + std::to_string(expected) + " blocks and list " +
                            std::to_string(visited),
                        "");
        }
        return {};
    }

    /// Rows that were listed and that no look-up found: if they are listed still, damaged pages
    /// hide them; else they were removed meanwhile. Looked for by listing everything again, since a
    /// look-up is what does not work.
    Result<void> report_hidden(Stores& stores, const std::string& from) {
        if (doubtful_.empty()) {
            return {};
        }
        std::vector<std::string> hidden;
        TRY(stores.embedded().visit_blocks(from, [&](const StoredBlock& stored) -> Result<void> {
            if (!stored.is_sound && doubtful_.contains(stored.key)) {
                hidden.push_back(stored.key);
            }
            return {};
        }));
        for (const std::string& key : hidden) {
            repair(stores,
                   Damage{.key = key,
                          .error = {Errc::malformed, "the tables list it, and do not find it"}});
        }
        return {};
    }

    Result<void> report_orphans(EmbeddedStore& store) {
        return store.visit_orphans([&](const Orphan& orphan) -> Result<void> {
            Result<void> done;
            Finding::Fate fate = Finding::Fate::left;
            if (options_.repair == Repair::drop) {
                done = store.drop_orphan(orphan.number);
                fate = Finding::Fate::removed;
            } else if (options_.repair != Repair::none) {
                done = store.take_in_orphan(orphan.number);
                fate = Finding::Fate::healed;
            }
            say_finding(Finding::Subject::segment,
                        done ? fate : Finding::Fate::not_removed,
                        orphan.name,
                        std::to_string(orphan.blocks) + " blocks, " + std::to_string(orphan.bytes) +
                            " bytes",
                        done ? "" : done.error().message);
            return {};
        });
    }

    Result<void> verify_pins(EmbeddedStore& store) {
        for (const std::string& key : TRY(store.damaged_pins())) {
            const Result<Cid> cid = Cid::from_bytes(bytes_of(key));
            const std::string name = cid ? cid->to_string() : to_hex(bytes_of(key));
            Finding::Fate fate = Finding::Fate::left;
            std::string more;
            if (options_.repair != Repair::none) {
                const Result<void> dropped = store.drop_pin(key);
                fate = dropped ? Finding::Fate::removed : Finding::Fate::not_removed;
                more = dropped ? "" : dropped.error().message;
            }
            say_finding(Finding::Subject::pin,
                        fate,
                        name,
                        "what it says of kind, name and expiry; pin it again",
                        more);
        }
        return {};
    }

    void repair(Stores& stores, const Damage& damage) {
        Bytes binary{1, static_cast<std::uint8_t>(Codec::raw)};
        binary.insert(binary.end(), damage.key.begin(), damage.key.end());
        const Result<Cid> cid = Cid::from_bytes(binary);
        const std::string name = cid ? cid->to_string() : to_hex(bytes_of(damage.key));
        const auto say = [&](Finding::Fate fate, const std::string& more) {
            say_finding(Finding::Subject::block, fate, name, damage.error.message, more);
        };
        if (options_.repair == Repair::none) {
            return say(Finding::Fate::left, "");
        }
        if (const Result<void> dropped = stores.embedded().drop(damage.key); !dropped) {
            return say(Finding::Fate::not_removed, dropped.error().message);
        }
        ++dropped_;
        if (options_.repair != Repair::heal || !cid) {
            return say(Finding::Fate::removed, "");
        }
        Result<void> healed;
        if (Result<LentBytes> again = stores.blocks().get(*cid); !again) {
            healed = std::move(again).take_error();
        } else {
            healed = stores.embedded().sync();
        }
        say(healed ? Finding::Fate::healed : Finding::Fate::not_healed,
            healed ? "" : healed.error().message);
    }

    const int fd_;
    const VerifyOptions& options_;
    std::uint64_t sound_ = 0;
    std::uint64_t dropped_ = 0;
    std::set<std::string> doubtful_; ///< Of one table's pages, in memory as the pages are.
};

// --- the parent ---

std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> words;
    for (std::size_t tab = line.find('\t'); tab != std::string_view::npos; tab = line.find('\t')) {
        words.push_back(line.substr(0, tab));
        line.remove_prefix(tab + 1);
    }
    words.push_back(line);
    return words;
}

std::uint64_t number_in(std::string_view word) {
    std::uint64_t number = 0;
    std::from_chars(word.data(), word.data() + word.size(), number);
    return number;
}

std::string from_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        std::uint8_t byte = 0;
        std::from_chars(digits.data() + at, digits.data() + at + 2, byte, 16);
        bytes.push_back(static_cast<char>(byte));
    }
    return bytes;
}

/// The first key that is `2^bits` digests behind this one, counted in the 64 bits behind function
/// and length of a multihash; nothing if that is beyond the last.
std::optional<std::string> key_behind(const std::string& key, unsigned bits) {
    std::string next = key;
    next.resize(10, '\0');
    std::uint64_t front = 0;
    for (std::size_t at = 2; at < 10; ++at) {
        front = front << 8U | static_cast<std::uint8_t>(next[at]);
    }
    const std::uint64_t moved = front + (std::uint64_t{1} << bits);
    if (moved < front) {
        return std::nullopt;
    }
    for (std::size_t at = 0; at < 8; ++at) {
        next[2 + at] = static_cast<char>(moved >> (56 - 8 * at));
    }
    return next;
}

class Parent {
public:
    Parent(const config::Home& home, const config::Settings& settings, const VerifyOptions& options)
        : home_(home)
        , settings_(settings)
        , options_(options) {}

    Result<Verified> run() {
        std::string from;
        for (;;) {
            const std::optional<std::string> broken = TRY(run_child(from));
            if (!broken) {
                return verified_;
            }
            // A child that was killed behind the last gap has gone on; else the gap is too small.
            skipped_bits_ = last_key_ > from || from.empty() ? skipped_bits_first
                                                             : std::min(skipped_bits_ + 2, 63U);
            const std::string at = std::max(last_key_, from);
            if (at.empty()) {
                // Not one key was read: the root of the tables, or the pins.
                TRY(report(
                    {.subject = Finding::Subject::range, .name = "the first", .what = *broken}));
                if (std::exchange(has_begun_again_, true)) {
                    return verified_;
                }
                from = std::string("\x12\x20", 2);
                continue;
            }
            TRY(report({.subject = Finding::Subject::range,
                        .name = to_hex(bytes_of(at)),
                        .what = *broken}));
            const std::optional<std::string> next = key_behind(at, skipped_bits_);
            if (!next) {
                return verified_;
            }
            from = *next;
        }
    }

private:
    /// How the child came to its end before it was done, if it did.
    Result<std::optional<std::string>> run_child(const std::string& from) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
            return system_error("cannot make a pipe for", home_.blocks(), errno);
        }
        UniqueFd read_end(ends[0]), write_end(ends[1]);
        const pid_t parent = ::getpid();
        const pid_t child = ::fork();
        if (child < 0) {
            return system_error("cannot start a process to verify", home_.blocks(), errno);
        }
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() == parent) {
                Child(write_end.get(), options_).run(home_, settings_, from);
            }
            ::_exit(0);
        }
        write_end.reset();
        has_ended_ = false;
        is_open_ = false;
        last_key_.clear();
        error_.reset();
        const Result<void> heard = listen(read_end.get());
        if (!heard) {
            ::kill(child, SIGKILL);
        }
        int status = 0;
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        if (!heard) {
            return heard.error();
        }
        if (error_ && is_open_ && error_->code == Errc::malformed) {
            return std::optional(error_->message);
        }
        if (error_) {
            return *error_;
        }
        if (has_ended_) {
            return std::optional<std::string>{};
        }
        return std::optional<std::string>(
            "the process that read it was killed" +
            (WIFSIGNALED(status) ? std::string(" by signal ") + std::to_string(WTERMSIG(status)) +
                                       " (" + ::strsignal(WTERMSIG(status)) + ")"
                                 : std::string()) +
            ": the tables are damaged here");
    }

    Result<void> listen(int fd) {
        std::string waiting;
        std::array<char, 4096> buffer{};
        for (;;) {
            const ssize_t count = ::read(fd, buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) {
                continue;
            }
            if (count <= 0) {
                return {};
            }
            waiting.append(buffer.data(), static_cast<std::size_t>(count));
            for (std::size_t end = waiting.find('\n'); end != std::string::npos;
                 end = waiting.find('\n')) {
                TRY(hear(std::string_view(waiting).substr(0, end)));
                waiting.erase(0, end + 1);
            }
        }
    }

    Result<void> hear(std::string_view line) {
        const std::vector<std::string_view> words = split(line);
        if (words[0] == "k" && words.size() == 2) {
            last_key_ = from_hex(words[1]);
        } else if (words[0] == "n" && words.size() == 2) {
            verified_.blocks += number_in(words[1]);
            if (options_.on_progress) {
                options_.on_progress(verified_.blocks);
            }
        } else if (words[0] == "o") {
            is_open_ = true;
        } else if (words[0] == "f" && words.size() == 6) {
            TRY(report({.subject = static_cast<Finding::Subject>(number_in(words[1])),
                        .name = std::string(words[3]),
                        .what = std::string(words[4]),
                        .more = std::string(words[5]),
                        .fate = static_cast<Finding::Fate>(number_in(words[2]))}));
        } else if (words[0] == "e" && words.size() == 3) {
            error_ =
                Error{errc_of(number_in(words[1])).value_or(Errc::internal), std::string(words[2])};
        } else if (words[0] == ".") {
            has_ended_ = true;
        }
        return {};
    }

    Result<void> report(const Finding& finding) {
        using Fate = Finding::Fate;
        verified_.blocks += finding.subject == Finding::Subject::block ? 1 : 0;
        ++verified_.damaged;
        verified_.removed += finding.fate == Fate::removed || finding.fate == Fate::healed ||
                                     finding.fate == Fate::not_healed
                                 ? 1
                                 : 0;
        verified_.not_removed += finding.fate == Fate::not_removed ? 1 : 0;
        verified_.healed += finding.fate == Fate::healed ? 1 : 0;
        verified_.not_healed += finding.fate == Fate::not_healed ? 1 : 0;
        return options_.on_finding(finding);
    }

    const config::Home& home_;
    const config::Settings& settings_;
    const VerifyOptions& options_;
    Verified verified_;
    std::string last_key_; ///< That the child looked at last.
    bool has_ended_ = false;
    bool is_open_ = false;
    bool has_begun_again_ = false;
    unsigned skipped_bits_ = skipped_bits_first;
    std::optional<Error> error_;
};

} // namespace

Result<Verified> verify_store(const config::Home& home,
                              const config::Settings& settings,
                              const VerifyOptions& options) {
    return Parent(home, settings, options).run();
}

} // namespace ic::wiring
