#pragma once
/// The date of a message of HTTP.

#include "base/time.h"

#include <string>

namespace ic::net {

/// An IMF-fixdate, as "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7). Requires: a time
/// of the years 1970 to 9999. Threads: any.
std::string http_date(UnixSeconds time);

} // namespace ic::net
