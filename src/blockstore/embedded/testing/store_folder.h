#pragma once
/// A folder for a store that goes with the test, and what tests put into it.

#include "blockstore/embedded/embedded_store.h"
#include "ipld/dag_pb.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ic::testing_store {

class StoreFolder {
public:
    StoreFolder() {
        std::string pattern = testing::TempDir() + "ic-store-XXXXXX";
        path_ = ::mkdtemp(pattern.data());
    }
    StoreFolder(const StoreFolder&) = delete;
    StoreFolder& operator=(const StoreFolder&) = delete;

    ~StoreFolder() { std::filesystem::remove_all(path_); }

    const std::string& outer() const { return path_; }

    std::string path() const { return path_ + "/blocks"; }

    std::unique_ptr<EmbeddedStore> open(EmbeddedOptions options = {}) const {
        options.folder = path();
        Result<std::unique_ptr<EmbeddedStore>> store = EmbeddedStore::open(std::move(options));
        EXPECT_TRUE(store.ok()) << (store ? "" : store.error().message);
        return store ? std::move(store).take() : nullptr;
    }

private:
    std::string path_;
};

/// A block of `size` bytes, different for each number.
inline Bytes block_of(std::uint32_t number, std::size_t size = 1000) {
    Bytes data(size, static_cast<std::uint8_t>(number));
    for (std::size_t index = 0; index < 4 && index < size; ++index) {
        data[index] = static_cast<std::uint8_t>(number >> (8 * index));
    }
    return data;
}

inline Cid raw_cid(const Bytes& data) { return cid_of(Codec::raw, data); }

/// Puts a block; its CID.
inline Cid put_block(BlockStore& store, std::uint32_t number, std::size_t size = 1000) {
    const Bytes data = block_of(number, size);
    const Result<void> put = store.put(raw_cid(data), data);
    EXPECT_TRUE(put.ok()) << (put ? "" : put.error().message);
    return raw_cid(data);
}

/// Puts a dag-pb node with these links; its CID.
inline Cid put_node(BlockStore& store, const std::vector<Cid>& children) {
    dag_pb::Node node;
    for (const Cid& child : children) {
        node.links.push_back({.cid = child});
    }
    const Bytes data = dag_pb::encode(node);
    const Cid cid = cid_of(Codec::dag_pb, data);
    EXPECT_TRUE(store.put(cid, data).ok());
    return cid;
}

/// What a collection removed, as raw CIDs' text.
struct Collection {
    Result<Collected> result;
    std::vector<std::string> removed;
    std::vector<std::string> expired;
    std::vector<std::string> errors;
};

inline Collection collect(EmbeddedStore& store, CollectOptions options = {}) {
    Collection collection{.result = Collected{}, .removed = {}, .expired = {}, .errors = {}};
    options.on_removed = [&](const Cid& cid) -> Result<void> {
        collection.removed.push_back(cid.to_string());
        return {};
    };
    options.on_expired = [&](const Pin& pin) { collection.expired.push_back(pin.cid.to_string()); };
    options.on_error = [&](const Cid& cid, const Error& error) {
        collection.errors.push_back(cid.to_string() + ": " + error.message);
    };
    collection.result = store.collect(options);
    return collection;
}

/// Runs `body` in a child process; its exit status, or 128 + signal.
inline int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(body());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace ic::testing_store
