#pragma once
/// Outlet: how a coordinator's or worker's runtime speaks to the rest of its node and beyond.

#include "job/ids.h"
#include "job/message.h"

namespace ic::transport {

/// Delivers later, never from within the call: a machine is not entered twice.
/// Threads: the event loop's.
class Outlet {
public:
    virtual ~Outlet() = default;

    /// To one process; the own instance means the other half of this node, or its own client.
    virtual void send(const job::Instance& to, job::Message message) = 0;

    /// To every node that can be reached, this one included.
    virtual void announce(job::Message message) = 0;
};

} // namespace ic::transport
