#pragma once
/// What somebody tries who runs code of their own in an executor: the tests of its walls.

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace ic::executor::channel::testing {

/// Something an attacker tries: -1 with an errno, or it worked.
struct Attempt {
    const char* name;
    std::function<long()> make;
};

/// `victim` is a process of the same user outside.
std::vector<Attempt> attempts(pid_t victim);

/// Makes it. Empty if it was refused: not permitted, not known, or nothing is there.
std::string outcome_of(const Attempt& attempt);

/// A process of this user that does nothing, until it goes. Threads: one.
class Victim {
public:
    Victim();
    Victim(const Victim&) = delete;
    Victim& operator=(const Victim&) = delete;
    ~Victim();

    pid_t id() const { return id_; }

    /// Whether it lives.
    bool is_well() const;

private:
    pid_t id_;
};

} // namespace ic::executor::channel::testing
