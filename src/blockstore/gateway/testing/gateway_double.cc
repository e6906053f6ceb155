#include "blockstore/gateway/testing/gateway_double.h"

#include "car/writer.h"
#include "ipld/dag_pb.h"
#include "unixfs/data.h"

#include <utility>

namespace ic::gateway::testing {
namespace {

using net::testing::answer_of;
using net::testing::Peer;
using net::testing::SeenRequest;

class Text final : public car::Output {
public:
    Result<void> write(Bytes head, LentBytes data) override {
        text += text_of(head);
        text += text_of(data.view());
        return {};
    }

    std::string text;
};

/// "/ipfs/CID?format=..." of "GET /ipfs/CID?format=... HTTP/1.1".
std::string target_of(const SeenRequest& request) {
    const std::string line = request.line();
    const std::size_t begin = line.find(' ') + 1;
    return line.substr(begin, line.rfind(' ') - begin);
}

} // namespace

GatewayDouble::GatewayDouble(const MemoryBlocks& blocks, Instead instead)
    : blocks_(blocks)
    , instead_(std::move(instead))
    , server_([this](const SeenRequest& request, Peer& peer) { answer(request, peer); }) {}

std::vector<std::string> GatewayDouble::requests() const {
    std::vector<std::string> targets;
    for (const SeenRequest& request : server_.requests()) {
        targets.push_back(target_of(request));
    }
    return targets;
}

void GatewayDouble::answer(const SeenRequest& request, Peer& peer) {
    if (instead_ && instead_(request, peer)) {
        return;
    }
    const std::string target = target_of(request);
    const std::size_t begin = target.find("/ipfs/") + 6;
    const Result<Cid> cid = Cid::parse(target.substr(begin, target.find('?') - begin));
    std::string body;
    {
        const std::lock_guard lock(mutex_);
        const Result<LentBytes> block =
            cid ? blocks_.get(*cid) : Result<LentBytes>(Error{Errc::malformed, "no CID"});
        if (block) {
            body = target.find("format=car") == std::string::npos
                       ? answer_of(200,
                                   "Content-Type: application/vnd.ipld.raw\r\n",
                                   std::string(text_of(block->view())))
                       : head_of("application/vnd.ipld.car; version=1") + car_of(blocks_, *cid);
        }
    }
    peer.send(body.empty() ? answer_of(404, "Content-Type: text/plain\r\n", "not here") : body);
}

TestFile make_file(MemoryBlocks& blocks, std::size_t leaves, std::size_t leaf_bytes) {
    TestFile file;
    dag_pb::Node node;
    unixfs::Data data{.type = unixfs::DataType::file, .file_size = leaves * leaf_bytes};
    for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
        std::string text = std::to_string(blocks.blocks.size()) + " ";
        text.resize(leaf_bytes, static_cast<char>('a' + leaf % 26));
        const Cid cid = blocks.add(Codec::raw, bytes_of(text));
        file.leaves.push_back(cid);
        file.content += text;
        node.links.push_back({.cid = cid, .name = "", .tsize = leaf_bytes});
        data.block_sizes.push_back(leaf_bytes);
    }
    const Bytes message = unixfs::encode_data(data);
    node.data = message;
    file.root = blocks.add(Codec::dag_pb, dag_pb::encode(node));
    return file;
}

Cid make_directory(MemoryBlocks& blocks, const std::vector<TestFile>& files) {
    dag_pb::Node node;
    for (std::size_t index = 0; index < files.size(); ++index) {
        node.links.push_back({.cid = files[index].root,
                              .name = std::to_string(index),
                              .tsize = files[index].content.size()});
    }
    const Bytes message = unixfs::encode_data({.type = unixfs::DataType::directory});
    node.data = message;
    return blocks.add(Codec::dag_pb, dag_pb::encode(node));
}

std::string car_of(MemoryBlocks& blocks, const Cid& root) {
    Text text;
    const Result<car::Written> written =
        car::write_dag(blocks, root, {.missing = car::MissingBlocks::leave_out}, text);
    return written ? text.text : std::string();
}

std::string head_of(const std::string& type) {
    return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nConnection: close\r\n\r\n";
}

} // namespace ic::gateway::testing
