#include "unixfs/symlink.h"

#include "ipld/dag_pb.h"
#include "unixfs/content_path.h"
#include "unixfs/data.h"
#include "unixfs/put_node.h"

namespace ic::unixfs {

Result<Entry> put_symlink(const Profile& profile,
                          BlockSink& sink,
                          std::string_view target,
                          const Metadata& metadata) {
    if (target.size() > limits::path_bytes_max) {
        return Error{Errc::too_large, "the target of a symlink has more than 4096 bytes"};
    }
    const Bytes message =
        encode_data({.type = DataType::symlink, .data = bytes_of(target), .mtime = metadata.mtime});
    const Written written = TRY(put_node(profile, sink, {.data = message}));
    return Entry{.cid = written.cid, .tsize = written.tsize, .file_size = target.size()};
}

} // namespace ic::unixfs
