#pragma once
/// Which bug is planted in the simulation at hand.

#include "lease/fault.h"

#include <string_view>
#include <vector>

namespace ic::sim {

/// Plants one while it lives. One at a time. Threads: one simulation a thread.
class Planted {
public:
    explicit Planted(lease::Fault fault);
    ~Planted();
    Planted(const Planted&) = delete;
    Planted& operator=(const Planted&) = delete;
};

struct NamedFault {
    lease::Fault fault;
    std::string_view name;
};

/// All but `none`.
const std::vector<NamedFault>& all_faults();

} // namespace ic::sim
