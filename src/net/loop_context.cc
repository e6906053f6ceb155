#include "net/loop_context.h"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

#include <set>

namespace ic::net {
namespace asio = boost::asio;

// Its context shuts it down before any service that guests use is destroyed.
class LoopGuest::Registry : public asio::execution_context::service {
public:
    using key_type = Registry;
    static inline asio::execution_context::id id;

    explicit Registry(asio::execution_context& context)
        : asio::execution_context::service(context) {}

    void add(LoopGuest& guest) { guests_.insert(&guest); }

    void remove(LoopGuest& guest) { guests_.erase(&guest); }

private:
    void shutdown() noexcept override {
        while (!guests_.empty()) { // One that leaves may take others with it.
            LoopGuest& guest = **guests_.begin();
            guests_.erase(guests_.begin());
            guest.registry_ = nullptr;
            guest.leave();
        }
    }

    std::set<LoopGuest*> guests_;
};

LoopGuest::LoopGuest(asio::io_context& context) : registry_(&asio::use_service<Registry>(context)) {
    registry_->add(*this);
}

LoopGuest::~LoopGuest() {
    if (registry_ != nullptr) {
        registry_->remove(*this);
    }
}

} // namespace ic::net
