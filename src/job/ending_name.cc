#include "job/ending_name.h"

namespace ic::job {

std::string_view name_of(const Ending& ending) {
    if (ending.error) {
        return name(*ending.error);
    }
    return ending.ok() ? "success" : "guest-exit";
}

} // namespace ic::job
