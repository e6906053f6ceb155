#include "exporter/content.h"

#include "base/file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ic::exporter {

Result<void> copy_content(unixfs::FileReader& reader,
                          const Range& range,
                          archive::ByteSink& sink,
                          const OnBytes& on_bytes) {
    std::uint64_t offset = std::min(range.offset, reader.size());
    const std::uint64_t end = offset + std::min(range.bytes, reader.size() - offset);
    while (offset < end) {
        const LentBytes lent = TRY(reader.lend_at(offset));
        const std::size_t taken =
            static_cast<std::size_t>(std::min<std::uint64_t>(lent.size(), end - offset));
        TRY(sink.write(lent.view().first(taken)));
        offset += taken;
        if (on_bytes) {
            on_bytes(taken);
        }
    }
    return {};
}

Result<void> FdSink::write(ByteView bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            return system_error("cannot write", path_, errno);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return {};
}

} // namespace ic::exporter
