#pragma once
/// Descriptors 0, 1 and 2, which a shell can leave closed (`>&-`).

namespace ic::cli {

/// Puts something that can neither be read nor written where one of them is closed. Else the next
/// file that is opened, the store's perhaps, would be standard output. To be called before any
/// other descriptor is opened.
void hold_standard_descriptors();

} // namespace ic::cli
