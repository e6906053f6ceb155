#pragma once
/// What else stands on Asio reaches the loop's context here. Inside this folder alone.

#include "net/event_loop.h"

namespace boost::asio {
class io_context;
} // namespace boost::asio

namespace ic::net {

struct LoopContext {
    static boost::asio::io_context& of(EventLoop& loop);
};

/// Owns sockets and timers of a loop's context, and gives them up when the loop goes first.
/// Threads: the loop's.
class LoopGuest {
public:
    class Registry;

    LoopGuest(const LoopGuest&) = delete;
    LoopGuest& operator=(const LoopGuest&) = delete;
    virtual ~LoopGuest();

    /// Destroys all that is of the context. Handlers of what was under way are never called.
    virtual void leave() noexcept = 0;

protected:
    explicit LoopGuest(boost::asio::io_context& context);

private:
    Registry* registry_; // None once the loop has gone.
};

} // namespace ic::net
