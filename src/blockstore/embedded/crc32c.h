#pragma once
/// CRC-32C: tells bytes of ours that the disk changed from bytes that we wrote.

#include "base/bytes.h"

#include <cstdint>

namespace ic::embedded {

/// Of `bytes` behind those that gave `before` (0: none). For heads of records, some hundred bytes:
/// a table look-up a byte. Source: RFC 3720, appendix B.4 (Castagnoli polynomial, reflected).
std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);

} // namespace ic::embedded
