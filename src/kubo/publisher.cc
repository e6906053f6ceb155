#include "kubo/publisher.h"

#include "kubo/node.h"
#include "kubo/pubsub.h"

#include <exception>
#include <utility>

namespace ic::kubo {

Publisher::Publisher(Rpc& rpc, PublisherOptions options)
    : rpc_(rpc)
    , options_(std::move(options))
    , thread_([this] { run(); }) {}

Publisher::~Publisher() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

Result<void> Publisher::publish(std::string topic, Bytes data) {
    TRY(check_publishable(topic, data));
    {
        const std::lock_guard lock(mutex_);
        while (!queue_.empty() && (queue_.size() >= options_.items_max ||
                                   queued_bytes_ + data.size() > options_.bytes_max)) {
            queued_bytes_ -= queue_.front().data.size();
            queue_.pop_front();
            ++dropped_;
        }
        queued_bytes_ += data.size();
        queue_.push_back({.topic = std::move(topic), .data = std::move(data), .since = rpc_.now()});
    }
    changed_.notify_all();
    return {};
}

bool Publisher::drain(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return queue_.empty() && !is_sending_; });
}

Publisher::Counters Publisher::counters() const {
    return {.published = published_,
            .retried = retried_,
            .dropped = dropped_,
            .failed = failed_,
            .unserialised = unserialised_};
}

std::optional<Error> Publisher::last_failure() const {
    const std::lock_guard lock(mutex_);
    return last_failure_;
}

void Publisher::run() {
    for (;;) {
        Item item;
        {
            std::unique_lock lock(mutex_);
            is_sending_ = false;
            changed_.notify_all();
            changed_.wait(lock, [this] { return ending_ || !queue_.empty(); });
            if (ending_) {
                dropped_ += queue_.size();
                return;
            }
            item = std::move(queue_.front());
            queue_.pop_front();
            queued_bytes_ -= item.data.size();
            is_sending_ = true;
        }
        if (rpc_.now() - item.since >= options_.age_max) {
            ++dropped_;
            continue;
        }
        try {
            send(item);
        } catch (const std::exception& failure) { // Of a library, or no memory.
            ++failed_;
            note(Error{Errc::internal, failure.what()});
        }
    }
}

void Publisher::send(const Item& item) {
    for (int failures = 1;; ++failures) {
        Result<void> sent = send_once(item);
        if (sent) {
            ++published_;
            note(std::nullopt);
            return;
        }
        const Error failure = std::move(sent).take_error();
        const bool is_ignored = is_validation_ignored(failure);
        if (!is_ignored) {
            lock_.reset(); // It may be another Kubo that answers next.
        }
        note(failure);
        if (ending_ || failure.code != Errc::unavailable ||
            rpc_.now() - item.since >= options_.age_max) {
            ++failed_;
            return;
        }
        ++retried_;
        pause(
            backoff(is_ignored ? options_.ignored_retry : options_.retry, failures, rpc_.random()));
    }
}

Result<void> Publisher::send_once(const Item& item) {
    const bool is_locked = TRY(lock());
    if (!is_locked) {
        ++unserialised_;
    }
    Result<void> sent = pubsub_publish(rpc_, item.topic, item.data, stop());
    pause(options_.gap); // Before anybody else publishes through this Kubo.
    if (is_locked) {
        lock_->release();
    }
    return sent;
}

/// Whether it is held; without it a message is sent all the same. Errors: unavailable if there is
/// no Kubo to ask who it is.
Result<bool> Publisher::lock() {
    if (!lock_) {
        const Result<NodeId> node = id(rpc_, stop());
        if (!node && node.error().code == Errc::unavailable) {
            return node.error();
        }
        if (!node) { // A token for pubsub alone: who it is stays unknown.
            note(node.error());
            return false;
        }
        Result<PublishLock> opened = PublishLock::open(options_.lock_folder, node->peer_id);
        if (!opened) {
            note(std::move(opened).take_error());
            return false;
        }
        lock_.emplace(std::move(opened).take());
    }
    return lock_->acquire(limits::publish_lock_wait_max, rpc_, stop());
}

void Publisher::note(std::optional<Error> failure) {
    const std::lock_guard lock(mutex_);
    last_failure_ = std::move(failure);
}

void Publisher::pause(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [this] { return ending_.load(); });
}

Stop Publisher::stop() const {
    return [this]() -> std::optional<Error> {
        return ending_ ? std::optional(Error{Errc::cancelled, "the publisher ends"}) : std::nullopt;
    };
}

} // namespace ic::kubo
