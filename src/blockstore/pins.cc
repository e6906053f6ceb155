#include "blockstore/pins.h"

namespace ic {

std::string_view name(PinKind kind) { return kind == PinKind::recursive ? "recursive" : "direct"; }

} // namespace ic
