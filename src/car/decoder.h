#pragma once
/// Decoder: the blocks of a CAR whose bytes arrive in pieces.
/// Format: https://ipld.io/specs/transport/car/ (CARv1 and CARv2), docs/formats/car.md.

#include "base/bytes.h"
#include "base/result.h"
#include "car/header.h"
#include "ipld/block.h"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace ic::car {

namespace limits {
/// One section: a CID and a block.
inline constexpr std::size_t section_bytes_max =
    ic::limits::cid_bytes_max + ic::limits::block_bytes_max;
} // namespace limits

/// Who compares a block with its CID. Whoever lets the caller do it hands nothing on before.
enum class Hashing : std::uint8_t { decoder, caller };

/// Reads CARv1, and the CARv1 inside a CARv2, whose index is passed over: it names nothing that the
/// sections do not. Holds at most one section or header that has come in part.
///
///     while (!input.empty()) {
///         if (std::optional<Block> block = TRY(decoder.take(input))) { ... }
///     }
///     TRY(decoder.finish());
///
/// Threads: one at a time.
class Decoder {
public:
    explicit Decoder(Hashing hashing = Hashing::decoder) : hashing_(hashing) {}

    /// Takes bytes from the front of `input`, up to the end of one block: that block, or nothing
    /// when all of `input` was taken and no block has ended. After an error nothing more can be
    /// taken. Lifetime: a block that lay whole in `input` lends from there, without an owner; one
    /// that came in pieces owns its bytes.
    ///
    /// Errors: malformed (varints, header, a section without a CID, offsets of a CARv2), too_large
    ///         (header, section, block), unsupported (version, hash function, characteristics),
    ///         hash_mismatch. The message names the block's CID, or the byte where its section
    ///         begins.
    Result<std::optional<Block>> take(ByteView& input);

    /// That nothing is missing: the header and every section have come whole.
    /// Errors: malformed, with the byte up to which everything is whole.
    Result<void> finish() const;

    /// Of the (inner) CARv1, once `take` has come past it.
    const std::optional<Header>& header() const { return header_; }

    /// 1 or 2, once that has been read; else 0.
    int version() const { return version_; }

    /// Bytes of the whole CAR up to the end of the last whole section (or header): the ones that
    /// need not come again.
    std::uint64_t whole_bytes() const { return whole_bytes_; }

    std::uint64_t blocks() const { return blocks_; }

private:
    enum class State : std::uint8_t {
        v1_or_pragma,
        v2_header,
        padding,
        inner_header,
        sections,
        rest
    };

    Result<std::optional<LentBytes>> take_counted(ByteView& input, std::size_t size_max);
    std::optional<LentBytes> take_run(ByteView& input, std::size_t size);
    Result<void> take_header(ByteView& input);
    Result<void> take_v2_header(ByteView& input);
    void skip_padding(ByteView& input);
    Result<std::optional<Block>> take_section(ByteView& input);
    Result<Block> block_of(const LentBytes& section) const;
    void begin_sections();
    std::string place() const;

    Hashing hashing_;
    State state_ = State::v1_or_pragma;
    int version_ = 0;
    std::optional<Header> header_;
    Bytes partial_;                            ///< What has come of the current part.
    std::optional<std::size_t> counted_bytes_; ///< Its length, once the varint is there.
    std::uint64_t taken_bytes_ = 0;
    std::uint64_t whole_bytes_ = 0;
    std::uint64_t blocks_ = 0;
    std::uint64_t data_begin_ = 0; ///< Of the inner CARv1.
    std::uint64_t data_end_ = 0;   ///< 0: a CARv1, which ends where its bytes do.
};

} // namespace ic::car
