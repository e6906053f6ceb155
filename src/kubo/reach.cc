#include "kubo/reach.h"

namespace ic::kubo {

void set_reach(RpcCall& call, const Reach& reach) {
    if (reach.is_local) {
        call.query.emplace_back("offline", "true");
    }
    call.query.emplace_back("timeout", std::to_string(reach.time_max.count()) + "ms");
    call.total_time_max = reach.time_max + limits::answer_grace;
}

} // namespace ic::kubo
