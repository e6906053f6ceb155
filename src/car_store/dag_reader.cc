#include "car_store/dag_reader.h"

#include "ipld/dag_pb.h"
#include "unixfs/data.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ic::car_store {
namespace {

constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();

std::uint64_t sum(std::uint64_t left, std::uint64_t right) {
    return left > no_end - right ? no_end : left + right;
}

/// Of the block and of all below it, as its links claim. What is no DAG-PB says nothing of that.
std::uint64_t claimed_bytes(const Block& block) {
    const Result<dag_pb::Decoded> decoded = dag_pb::decode(block.data.view());
    if (!decoded) {
        return no_end;
    }
    std::uint64_t bytes = block.data.size();
    for (const dag_pb::Link& link : decoded->node.links) {
        bytes = sum(bytes, link.tsize);
    }
    return bytes;
}

bool is_missing(const Error& error) {
    return error.code == Errc::not_found || error.code == Errc::hash_mismatch;
}

/// What a CAR of `plan` may bring.
std::uint64_t bytes_max_of(const ReadPlan& plan) {
    return sum(plan.scope == ReadPlan::Scope::all ? limits::whole_dag_bytes_max
                                                  : plan.end - plan.offset,
               limits::car_bytes_more_max);
}

} // namespace

DagReader::DagReader(BlockStore& local, DagReaderOptions options, DagReaderCounts& counts)
    : local_(local)
    , options_(std::move(options))
    , counts_(counts) {}

bool DagReader::is_here(const Cid& cid) {
    const Result<bool> found = local_.has(cid);
    return found && *found;
}

/// Why no more is waited for.
std::optional<Error> DagReader::ended(const Cid& cid) const {
    if (std::optional<Error> stopped = options_.stop ? options_.stop() : std::nullopt) {
        if (stopped->code != Errc::fetch_timeout || has_come_) {
            return stopped;
        }
        return Error{Errc::cid_unavailable,
                     "block " + cid.to_string() + " is not here, and nobody gave it: " +
                         stopped->message + ", add it here, or connect a Kubo that has it"};
    }
    if (now_since_boot() < until_) {
        return std::nullopt;
    }
    return Error{Errc::cid_unavailable,
                 "block " + cid.to_string() + " is not here, and nobody gave it within " +
                     std::to_string(options_.block_time_max.count()) +
                     " ms; add it here, or connect a Kubo that has it"};
}

/// So that the next one gets its chance.
std::optional<Error> DagReader::tired_of_sender() const {
    if (now_since_boot() < until_ - options_.block_time_max / 2) {
        return std::nullopt;
    }
    return Error{Errc::unavailable,
                 "it sends nothing within " + std::to_string(options_.block_time_max.count() / 2) +
                     " ms"};
}

Result<LentBytes> DagReader::get(const Cid& cid) {
    Result<LentBytes> here = local_.get(cid);
    if (here) {
        remember(cid, here->view());
        return here;
    }
    if (!is_missing(here.error())) {
        return here;
    }
    has_come_ = false;
    if (!std::exchange(has_asked_, true) && options_.before_asking) {
        options_.before_asking(options_.stop);
    }
    wait_for_next();
    if (const std::optional<ReadPlan> plan = no_room_ ? std::nullopt : plan_for(cid)) {
        TRY(fetch(cid, *plan));
        if (Result<LentBytes> block = local_.get(cid); block) {
            remember(cid, block->view());
            return block;
        }
    }
    Result<LentBytes> block = get_single(cid);
    if (block) {
        remember(cid, block->view());
    }
    return block;
}

/// The CAR in which the block comes with what is probably read after it; nothing if it had better
/// come alone.
std::optional<ReadPlan> DagReader::plan_for(const Cid& cid) {
    for (auto node = nodes_.begin(); node != nodes_.end(); ++node) {
        const auto found = std::ranges::find(node->parts, cid);
        if (found != node->parts.end()) {
            nodes_.splice(nodes_.begin(), nodes_, node);
            return range_for(*node, static_cast<std::size_t>(found - node->parts.begin()));
        }
    }
    if (cid.codec() != Codec::dag_pb) {
        return std::nullopt; // It has no links, or none that say how much is behind them.
    }
    return ReadPlan{.root = cid, .scope = ReadPlan::Scope::all};
}

std::optional<ReadPlan> DagReader::range_for(FileNode& node, std::size_t part) {
    const bool in_order = part == 0 || is_here(node.parts[part - 1]);
    if (!in_order) {
        node.range_bytes = limits::range_bytes_first;
        return std::nullopt;
    }
    const std::uint64_t begin = part == 0 ? node.content_bytes : node.ends[part - 1];
    const std::uint64_t end = std::min(sum(begin, node.range_bytes), node.ends.back());
    node.range_bytes = std::min(2 * node.range_bytes, limits::range_bytes_max);
    if (begin >= end || (end <= node.ends[part] && node.parts[part].codec() == Codec::raw)) {
        return std::nullopt; // It alone.
    }
    return ReadPlan{
        .root = node.cid, .scope = ReadPlan::Scope::entity, .offset = begin, .end = end};
}

/// So that ranges can be asked for when its parts are.
void DagReader::remember(const Cid& cid, ByteView block) {
    if (cid.codec() != Codec::dag_pb) {
        return;
    }
    if (const auto known = std::ranges::find(nodes_, cid, &FileNode::cid); known != nodes_.end()) {
        nodes_.splice(nodes_.begin(), nodes_, known);
        return;
    }
    const Result<dag_pb::Decoded> decoded = dag_pb::decode(block);
    if (!decoded || decoded->node.links.empty() || !decoded->node.data) {
        return;
    }
    const Result<unixfs::Data> data = unixfs::decode_data(*decoded->node.data);
    if (!data || data->type != unixfs::DataType::file ||
        data->block_sizes.size() != decoded->node.links.size()) {
        return;
    }
    FileNode node{.cid = cid, .parts = {}, .ends = {}};
    node.content_bytes = data->data ? data->data->size() : 0;
    std::uint64_t end = node.content_bytes;
    for (std::size_t part = 0; part < data->block_sizes.size(); ++part) {
        end = sum(end, data->block_sizes[part]);
        node.parts.push_back(decoded->node.links[part].cid);
        node.ends.push_back(end);
    }
    nodes_.push_front(std::move(node));
    if (nodes_.size() > limits::file_nodes_max) {
        nodes_.pop_back();
    }
}

/// Brings the block here if somebody sends it. Errors: of an end that was asked for, or whose time
/// has come, alone.
Result<void> DagReader::fetch(const Cid& cid, const ReadPlan& plan) {
    for (CarSender* sender : options_.senders) {
        if (!sender->may_ask()) {
            continue;
        }
        const bool is_last = sender == options_.senders.back();
        const Result<void> took = take_car(*sender, plan, [this, &cid, is_last] {
            std::optional<Error> error = ended(cid);
            return error || is_last ? std::move(error) : tired_of_sender();
        });
        if (std::optional<Error> error = is_here(cid) ? std::nullopt : ended(cid)) {
            return std::move(*error);
        }
        if (!took && took.error().code != Errc::unsupported) {
            ++counts_.failed;
            if (options_.told != nullptr && took.error().code == Errc::hash_mismatch) {
                options_.told->failed(took.error()); // What is missing is still asked for singly.
            }
            sender->note(took.error());
        } else if (took && !is_here(cid) && !no_room_) {
            ++counts_.failed;
            sender->note({Errc::cid_unavailable,
                          "its CAR does not have block " + cid.to_string() + ", which it should"});
        }
        if (no_room_ || is_here(cid)) {
            break;
        }
    }
    return {};
}

/// Keeps what comes, as far as it was asked for. Errors: of the sender.
Result<void> DagReader::take_car(CarSender& sender, const ReadPlan& plan, const Stop& stop) {
    car::DagStream stream(
        TRY(sender.open(plan, stop)), plan.root, [this](const Cid& cid) { return is_here(cid); });
    const bool is_whole = plan.scope == ReadPlan::Scope::all;
    const std::uint64_t bytes_max = bytes_max_of(plan);
    std::uint64_t bytes = 0;
    for (std::size_t blocks = 0; blocks < limits::car_blocks_max && bytes <= bytes_max; ++blocks) {
        const std::optional<Block> block = TRY(stream.next());
        if (!block) {
            if (blocks == 0) {
                return Error{Errc::cid_unavailable, "its CAR has not even its root"};
            }
            break;
        }
        has_come_ = true;
        wait_for_next();
        bytes += block->data.size();
        ++counts_.blocks;
        counts_.bytes += block->data.size();
        if (options_.told != nullptr) {
            options_.told->fetched(block->data.size());
        }
        if (!local_.put(block->cid, block->data.view())) {
            no_room_ = true; // Blocks are passed on one by one from here on, as they are read.
            return {};
        }
        if (blocks == 0) {
            ++(is_whole ? counts_.whole : counts_.ranges);
            if (is_whole && claimed_bytes(*block) > limits::whole_dag_bytes_max) {
                break; // It was asked for to learn that.
            }
        }
    }
    return {};
}

Result<LentBytes> DagReader::get_single(const Cid& cid) {
    const Stop stop = [this, &cid] { return ended(cid); };
    if (std::optional<Error> error = stop()) {
        return std::move(*error);
    }
    ++counts_.single;
    Result<LentBytes> block = options_.single(cid, stop);
    if (block) {
        if (Result<void> verified = cid.verify(block->view()); !verified) {
            block = std::move(verified).take_error().during("fetching block " + cid.to_string());
        }
    }
    if (options_.told != nullptr) {
        if (block) {
            options_.told->fetched(block->view().size());
        } else {
            options_.told->failed(block.error());
        }
    }
    if (!block) {
        return block;
    }
    const Result<void> kept = local_.put(cid, block->view());
    if (!kept && kept.error().code != Errc::storage_full) {
        return kept.error();
    }
    return block;
}

} // namespace ic::car_store
