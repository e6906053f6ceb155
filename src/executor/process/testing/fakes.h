#pragma once
/// A host in memory and a permit that tests turn.

#include "executor/executor.h"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace ic::executor::process::testing {

/// Holds blocks; keeps what it is told. Threads: as Host, one run at a time.
class FakeHost : public Host {
public:
    Cid put(std::string_view content) {
        const Cid cid = cid_of(Codec::raw, bytes_of(content));
        blocks[cid] = content;
        return cid;
    }

    Result<LentBytes> get(const Cid& cid) override {
        ++gets;
        if (before_get) {
            before_get();
        }
        const auto found = blocks.find(cid);
        if (found == blocks.end()) {
            return Error{Errc::cid_unavailable, cid.to_string()};
        }
        return LentBytes::of(copy_of(bytes_of(found->second)));
    }

    Result<std::unique_ptr<Adder>> add() override {
        return std::unique_ptr<Adder>(std::make_unique<FakeAdder>(*this));
    }

    Result<std::unique_ptr<CurlBody>> curl(std::string_view request, const Task&) override {
        return std::unique_ptr<CurlBody>(std::make_unique<FakeBody>(std::string(request)));
    }

    void log(std::string_view line) override { logged.emplace_back(line); }

    void output(job::Stream stream, ByteView data) override {
        followed.emplace_back(stream, text_of(data));
    }

    void stage(job::Stage stage) override {
        stages.push_back(stage);
        if (on_stage) {
            on_stage(stage);
        }
    }

    void trace(std::string_view line) override { traced.emplace_back(line); }

    void dump(Dump kind, ByteView piece) override { dumps[kind] += text_of(piece); }

    std::map<Cid, std::string> blocks;
    int gets = 0;
    int writes_left = -1; ///< Of files that are added, until the disk is full; -1: never.
    std::function<void()> before_get;
    std::function<void(job::Stage)> on_stage;
    std::vector<std::string> logged;
    std::vector<std::pair<job::Stream, std::string>> followed;
    std::vector<job::Stage> stages;
    std::vector<std::string> traced;
    std::map<Dump, std::string> dumps;

private:
    class FakeAdder : public Adder {
    public:
        explicit FakeAdder(FakeHost& host) : host_(host) {}

        Result<void> write(ByteView data) override {
            if (host_.writes_left-- == 0) {
                return Error{Errc::storage_full, "the disk is full"};
            }
            content_ += text_of(data);
            return {};
        }

        Result<Cid> finish() override { return host_.put(content_); }

    private:
        FakeHost& host_;
        std::string content_;
    };

    class FakeBody : public CurlBody {
    public:
        explicit FakeBody(const std::string& request)
            : head_{.status = 200, .json = "head of " + request}
            , rest_("abcdef") {}

        const CurlHead& head() const override { return head_; }

        Result<std::size_t> read(std::span<std::uint8_t> into) override {
            const std::size_t count = std::min(into.size(), rest_.size());
            std::copy_n(rest_.begin(), count, into.begin());
            rest_.erase(0, count);
            return count;
        }

    private:
        CurlHead head_;
        std::string rest_;
    };
};

class FakePermit : public Permit {
public:
    Instant lease_until() const override {
        return {std::chrono::nanoseconds(lease_until_ns.load())};
    }

    std::optional<Errc> stop_reason() const override {
        const int number = stop.load();
        return number == 0 ? std::nullopt : errc_of(static_cast<std::uint64_t>(number));
    }

    std::atomic<std::int64_t> lease_until_ns{Instant::never().since_boot.count()};
    std::atomic<int> stop{0};
};

} // namespace ic::executor::process::testing
