#include "car_store/import.h"

#include "blockstore/identity.h"
#include "car/decoder.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace ic::car_store {
namespace {

/// So many bytes of a CAR, and the blocks that end in them.
struct Piece {
    std::uint64_t number = 0; ///< From 0 in the order of the file.
    Bytes buffer{};
    std::vector<Block> blocks{};
    std::vector<std::uint64_t> ends{}; ///< Of each block, in the whole CAR.
    Result<void> result{};             ///< What is wrong after the blocks.
};

/// Each thread reads the next piece, one at a time; verifies it, all at once; and puts it when
/// those before it have been put. So nobody waits but for the store or for the input, nothing is
/// handed from thread to thread, and the order of blocks is that of the file.
class Import {
public:
    Import(const ReadBytes& read,
           BlockStore& store,
           const ImportOptions& options,
           Imported& imported)
        : read_(read)
        , store_(store)
        , options_(options)
        , imported_(imported) {}

    Result<void> run() {
        const std::size_t wanted =
            options_.threads != 0 ? options_.threads : std::thread::hardware_concurrency();
        std::vector<std::thread> threads(std::clamp<std::size_t>(wanted, 1, limits::threads_max) -
                                         1);
        for (std::thread& thread : threads) {
            thread = std::thread([this] { work(); });
        }
        work();
        for (std::thread& thread : threads) {
            thread.join();
        }
        if (decoder_.header()) {
            imported_.roots = decoder_.header()->roots;
        }
        return std::move(result_);
    }

private:
    void work();
    bool read_piece(Piece& piece);
    Result<void> decode(Piece& piece);
    static void verify(Piece& piece);
    void put(Piece& piece);
    Result<void> put_blocks(const Piece& piece);

    const ReadBytes& read_;
    BlockStore& store_;
    const ImportOptions& options_;

    std::mutex input_mutex_; ///< Over the three below.
    car::Decoder decoder_{car::Hashing::caller};
    std::uint64_t pieces_read_ = 0;
    bool has_ended_ = false;

    std::mutex turn_mutex_; ///< Over what is below.
    std::condition_variable turn_changed_;
    std::uint64_t pieces_put_ = 0;
    bool has_failed_ = false;
    Imported& imported_;
    Result<void> result_;
};

void Import::work() {
    Piece piece;
    piece.buffer.resize(limits::piece_bytes);
    while (read_piece(piece)) {
        verify(piece);
        put(piece);
    }
}

/// False when there is no more, or when it is of no use.
bool Import::read_piece(Piece& piece) {
    const std::lock_guard lock(input_mutex_);
    if (has_ended_) {
        return false;
    }
    piece.number = pieces_read_++;
    piece.blocks.clear();
    piece.ends.clear();
    piece.result = decode(piece);
    has_ended_ = has_ended_ || !piece.result;
    return true;
}

/// Reads a full buffer, or what there is before the end, and takes its blocks.
Result<void> Import::decode(Piece& piece) {
    std::size_t filled = 0;
    while (filled < piece.buffer.size() && !has_ended_) {
        const std::size_t count = TRY(read_(std::span(piece.buffer).subspan(filled)));
        has_ended_ = count == 0;
        filled += count;
    }
    ByteView input = ByteView{piece.buffer}.first(filled);
    while (!input.empty()) {
        if (std::optional<Block> block = TRY(decoder_.take(input))) {
            piece.blocks.push_back(std::move(*block));
            piece.ends.push_back(decoder_.whole_bytes());
        }
    }
    return has_ended_ ? decoder_.finish() : Result<void>{};
}

/// Drops the first block that is wrong and all after it.
void Import::verify(Piece& piece) {
    for (std::size_t index = 0; index < piece.blocks.size(); ++index) {
        const Block& block = piece.blocks[index];
        if (Result<void> verified = block.cid.verify(block.data.view()); !verified) {
            piece.result =
                std::move(verified).take_error().during("block " + block.cid.to_string());
            piece.blocks.erase(piece.blocks.begin() + static_cast<std::ptrdiff_t>(index),
                               piece.blocks.end());
            return;
        }
    }
}

void Import::put(Piece& piece) {
    std::unique_lock lock(turn_mutex_);
    turn_changed_.wait(lock, [&] { return has_failed_ || pieces_put_ == piece.number; });
    if (has_failed_) {
        return;
    }
    Result<void> result = put_blocks(piece);
    if (result) {
        result = std::exchange(piece.result, {});
    }
    ++pieces_put_;
    if (!result) {
        has_failed_ = true;
        result_ = std::move(result);
        const std::lock_guard input_lock(input_mutex_);
        has_ended_ = true;
    }
    lock.unlock();
    turn_changed_.notify_all();
}

Result<void> Import::put_blocks(const Piece& piece) {
    const std::uint64_t before = imported_.whole_bytes;
    for (std::size_t index = 0; index < piece.blocks.size(); ++index) {
        const Block& block = piece.blocks[index];
        if (!is_identity(block.cid)) {
            TRY(store_.put(block.cid, block.data.view()));
        }
        ++imported_.blocks;
        imported_.bytes += block.data.size();
        imported_.whole_bytes = piece.ends[index];
    }
    if (options_.progress && imported_.whole_bytes != before) {
        options_.progress(imported_.whole_bytes - before);
    }
    return {};
}

} // namespace

Result<void> import_car(const ReadBytes& read,
                        BlockStore& store,
                        const ImportOptions& options,
                        Imported& imported) {
    return Import(read, store, options, imported).run();
}

} // namespace ic::car_store
