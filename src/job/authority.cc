#include "job/authority.h"

#include <variant>

namespace ic::job {
namespace {

/// By what each kind names as its speaker.
class Judge {
public:
    explicit Judge(const WorkerRef& speaker) : speaker_(speaker) {}

    bool operator()(const Announce& message) const {
        return message.coordinator == speaker_.instance && message.coordinator_key == speaker_.key;
    }

    bool operator()(const OpenJobsQuery& message) const {
        return message.asker == speaker_.instance;
    }

    bool operator()(const Output&) const { return true; } // Of a lease, which its holder alone has.

    template <class Said>
        requires requires(const Said& said) { said.worker.key; } && (!std::is_same_v<Said, Grant>)
    bool operator()(const Said& message) const {
        return message.worker == speaker_;
    }

    template <class Said>
        requires requires(const Said& said) { said.coordinator; }
    bool operator()(const Said& message) const {
        return message.coordinator == speaker_.instance;
    }

    /// What is left is a client's, or for one.
    template <class Said>
        requires(
            !requires(const Said& said) { said.coordinator; } &&
            !requires(const Said& said) { said.worker.key; })
    bool operator()(const Said&) const {
        return false;
    }

private:
    const WorkerRef& speaker_;
};

} // namespace

bool speaks_for_itself(const WorkerRef& speaker, const Message& message) {
    return std::visit(Judge(speaker), message);
}

bool may_coordinate(const Invocation& invocation, const PublicKey& key) {
    return invocation.audience == key;
}

} // namespace ic::job
