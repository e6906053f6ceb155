#pragma once
/// GatewayDouble: a trustless gateway on this machine, honest until it is told otherwise; and DAGs
/// for it to serve. For tests.

#include "ipld/testing/memory_blocks.h"
#include "net/testing/http_test_server.h"

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace ic::gateway::testing {

/// Serves `blocks` as `?format=raw` and, whole DAGs whatever part is asked for, as `?format=car`.
/// Threads: `blocks` must be complete before the first request.
class GatewayDouble {
public:
    /// Says whether it has answered the request itself.
    using Instead = std::function<bool(const net::testing::SeenRequest&, net::testing::Peer&)>;

    explicit GatewayDouble(const MemoryBlocks& blocks, Instead instead = {});

    std::string url() const { return server_.url(""); }

    /// The targets of all requests so far.
    std::vector<std::string> requests() const;

private:
    void answer(const net::testing::SeenRequest& request, net::testing::Peer& peer);

    MemoryBlocks blocks_;
    Instead instead_;
    std::mutex mutex_; ///< MemoryBlocks counts what is asked for.
    net::testing::HttpTestServer server_;
};

/// A file of `leaves` raw blocks of `leaf_bytes` each, under one root; put into `blocks`.
struct TestFile {
    Cid root;
    std::vector<Cid> leaves;
    std::string content;
};

TestFile make_file(MemoryBlocks& blocks, std::size_t leaves, std::size_t leaf_bytes);

/// A directory with such files, named "0", "1", ...
Cid make_directory(MemoryBlocks& blocks, const std::vector<TestFile>& files);

/// The whole CAR of a DAG.
std::string car_of(MemoryBlocks& blocks, const Cid& root);

/// "HTTP/1.1 200 OK", a content type and no length: the body ends with the connection.
std::string head_of(const std::string& type);

} // namespace ic::gateway::testing
