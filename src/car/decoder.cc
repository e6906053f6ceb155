#include "car/decoder.h"

#include "multiformats/varint.h"

#include <algorithm>
#include <string>
#include <utility>

namespace ic::car {
namespace {

/// Source: CARv2 specification, "CARv2 Pragma" (a CARv1 header that says version 2) and "Header".
constexpr std::size_t pragma_bytes = 11;
constexpr std::size_t v2_header_bytes = 40;
constexpr std::size_t characteristics_bytes = 16;
/// "Fully indexed": the first bit of the first byte. All others are reserved.
constexpr std::uint8_t fully_indexed = 0x80;

Error malformed(std::string message) { return {Errc::malformed, std::move(message)}; }

std::uint64_t little_endian(ByteView bytes) {
    std::uint64_t value = 0;
    for (std::size_t at = 8; at > 0; --at) {
        value = value << 8U | bytes[at - 1];
    }
    return value;
}

} // namespace

std::string Decoder::place() const { return "the CAR at byte " + std::to_string(whole_bytes_); }

/// The next `size` bytes, once all of them are there.
std::optional<LentBytes> Decoder::take_run(ByteView& input, std::size_t size) {
    if (partial_.empty() && input.size() >= size) {
        const LentBytes run{input.first(size), nullptr};
        input = input.subspan(size);
        taken_bytes_ += size;
        return run;
    }
    const std::size_t count = std::min(size - partial_.size(), input.size());
    partial_.insert(
        partial_.end(), input.begin(), input.begin() + static_cast<std::ptrdiff_t>(count));
    input = input.subspan(count);
    taken_bytes_ += count;
    if (partial_.size() < size) {
        return std::nullopt;
    }
    return LentBytes::of(std::exchange(partial_, {}));
}

/// The next run with its length in front.
Result<std::optional<LentBytes>> Decoder::take_counted(ByteView& input, std::size_t size_max) {
    while (!counted_bytes_) {
        if (input.empty()) {
            return std::optional<LentBytes>{};
        }
        partial_.push_back(input.front());
        input = input.subspan(1);
        ++taken_bytes_;
        if (partial_.back() < 0x80 || partial_.size() == ic::limits::varint_bytes_max) {
            ByteView varint{partial_};
            Result<std::uint64_t> size = take_varint(varint);
            if (!size) {
                return std::move(size).take_error().during(place());
            }
            if (*size > size_max) {
                return Error{Errc::too_large,
                             place() + ": a part of " + std::to_string(*size) + " bytes; at most " +
                                 std::to_string(size_max) + " are read"};
            }
            if (*size == 0) {
                return malformed(place() + ": a part of no bytes");
            }
            counted_bytes_ = static_cast<std::size_t>(*size);
            partial_.clear();
        }
    }
    const std::uint64_t begin = taken_bytes_ - partial_.size();
    if (data_end_ != 0 && (begin > data_end_ || *counted_bytes_ > data_end_ - begin)) {
        return malformed(place() + ": a part that ends after the CARv1 that it is in");
    }
    std::optional<LentBytes> run = take_run(input, *counted_bytes_);
    if (run) {
        counted_bytes_.reset();
    }
    return run;
}

Result<void> Decoder::take_header(ByteView& input) {
    const std::optional<LentBytes> body = TRY(take_counted(input, limits::header_bytes_max));
    if (!body) {
        return {};
    }
    Result<Header> header = decode_header(body->view());
    if (!header) {
        return std::move(header).take_error().during("the header of " + place());
    }
    whole_bytes_ = taken_bytes_;
    if (state_ == State::v1_or_pragma) {
        version_ = header->version;
        if (version_ == 2) {
            state_ = State::v2_header;
            return {};
        }
    } else if (header->version != 1) {
        return malformed("the CARv1 inside a CARv2 says that it is of another version");
    }
    header_ = std::move(header).take();
    begin_sections();
    return {};
}

void Decoder::begin_sections() {
    state_ = data_end_ != 0 && taken_bytes_ == data_end_ ? State::rest : State::sections;
}

Result<void> Decoder::take_v2_header(ByteView& input) {
    const std::optional<LentBytes> run = take_run(input, v2_header_bytes);
    if (!run) {
        return {};
    }
    const ByteView characteristics = run->view().first(characteristics_bytes);
    const bool is_known =
        (characteristics.front() & ~fully_indexed) == 0 &&
        std::ranges::all_of(characteristics.subspan(1), [](auto byte) { return byte == 0; });
    if (!is_known) {
        return Error{Errc::unsupported, "a CARv2 with characteristics that are not known here"};
    }
    const ByteView offsets = run->view().subspan(characteristics_bytes);
    const std::uint64_t begin = little_endian(offsets);
    const std::uint64_t size = little_endian(offsets.subspan(8));
    const std::uint64_t index = little_endian(offsets.subspan(16));
    constexpr std::uint64_t offset_max = std::uint64_t{1} << 62U; // So that no sum overflows.
    if (begin < pragma_bytes + v2_header_bytes || begin > offset_max || size == 0 ||
        size > offset_max || (index != 0 && index < begin + size)) {
        return malformed("a CARv2 whose parts overlap: CARv1 at byte " + std::to_string(begin) +
                         ", " + std::to_string(size) + " bytes long, index at byte " +
                         std::to_string(index));
    }
    data_begin_ = begin;
    data_end_ = begin + size;
    whole_bytes_ = taken_bytes_;
    state_ = State::padding;
    return {};
}

void Decoder::skip_padding(ByteView& input) {
    const std::uint64_t left = data_begin_ - taken_bytes_;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, input.size()));
    input = input.subspan(count);
    taken_bytes_ += count;
    if (count == left) {
        state_ = State::inner_header;
        whole_bytes_ = taken_bytes_;
    }
}

Result<Block> Decoder::block_of(const LentBytes& section) const {
    ByteView rest = section.view();
    Result<Cid> cid = Cid::take(rest);
    if (!cid) {
        return std::move(cid).take_error().during(place());
    }
    if (rest.size() > ic::limits::block_bytes_max) {
        return Error{Errc::too_large,
                     "block " + cid->to_string() + " has " + std::to_string(rest.size()) +
                         " bytes; at most " + std::to_string(ic::limits::block_bytes_max) +
                         " are read"};
    }
    if (hashing_ == Hashing::decoder) {
        if (Result<void> verified = cid->verify(rest); !verified) {
            return std::move(verified).take_error().during("block " + cid->to_string() + " of " +
                                                           place());
        }
    }
    return Block{*cid, section.part(rest)};
}

Result<std::optional<Block>> Decoder::take_section(ByteView& input) {
    const std::optional<LentBytes> section = TRY(take_counted(input, limits::section_bytes_max));
    if (!section) {
        return std::optional<Block>{};
    }
    Block block = TRY(block_of(*section));
    whole_bytes_ = taken_bytes_;
    ++blocks_;
    begin_sections();
    return std::optional<Block>(std::move(block));
}

Result<std::optional<Block>> Decoder::take(ByteView& input) {
    while (!input.empty()) {
        switch (state_) {
        case State::v1_or_pragma:
        case State::inner_header:
            TRY(take_header(input));
            break;
        case State::v2_header:
            TRY(take_v2_header(input));
            break;
        case State::padding:
            skip_padding(input);
            break;
        case State::sections:
            if (std::optional<Block> block = TRY(take_section(input))) {
                return block;
            }
            break;
        case State::rest:
            input = {};
            break;
        }
    }
    return std::optional<Block>{};
}

Result<void> Decoder::finish() const {
    const bool is_whole = state_ == State::rest || (state_ == State::sections && data_end_ == 0 &&
                                                    !counted_bytes_ && partial_.empty());
    if (is_whole) {
        return {};
    }
    return malformed("the CAR ends early, at byte " + std::to_string(taken_bytes_) + "; " +
                     std::to_string(blocks_) + " blocks are whole, up to byte " +
                     std::to_string(whole_bytes_));
}

} // namespace ic::car
