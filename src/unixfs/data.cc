#include "unixfs/data.h"

#include "ipld/protobuf.h"

#include <limits>
#include <string>

namespace ic::unixfs {
namespace {

using protobuf::Field;
using protobuf::Wire;

constexpr unsigned type_field = 1;
constexpr unsigned data_field = 2;
constexpr unsigned file_size_field = 3;
constexpr unsigned block_size_field = 4;
constexpr unsigned hash_type_field = 5;
constexpr unsigned fanout_field = 6;
constexpr unsigned mode_field = 7;
constexpr unsigned mtime_field = 8;

Error malformed(const char* message) { return {Errc::malformed, message}; }

/// Stores one field after the type.
Result<void> store(Data& data, const Field& field) {
    if (field.is(data_field, Wire::bytes)) {
        data.data = field.bytes;
    } else if (field.is(file_size_field, Wire::varint)) {
        data.file_size = field.value;
    } else if (field.is(block_size_field, Wire::varint)) {
        if (data.block_sizes.size() == limits::block_sizes_max) {
            return Error{Errc::too_large, "UnixFS message has more than 65536 block sizes"};
        }
        data.block_sizes.push_back(field.value);
    } else if (field.is(hash_type_field, Wire::varint)) {
        data.hash_type = field.value;
    } else if (field.is(fanout_field, Wire::varint)) {
        data.fanout = field.value;
    } else if (field.is(mode_field, Wire::varint)) {
        if (field.value > std::numeric_limits<std::uint32_t>::max()) {
            return malformed("UnixFS message has a mode of more than 32 bits");
        }
        data.mode = static_cast<std::uint32_t>(field.value);
    } else if (field.is(mtime_field, Wire::bytes)) {
        data.mtime = TRY(decode_unix_time(field.bytes));
    } else {
        return malformed("UnixFS message has an unknown field");
    }
    return {};
}

void append_if(Bytes& out, unsigned number, const std::optional<std::uint64_t>& value) {
    if (value) {
        protobuf::append_varint(out, number, *value);
    }
}

} // namespace

Metadata Data::metadata() const {
    const std::uint32_t permissions = mode.value_or(0) & limits::mode_max;
    return {.mode = permissions == 0 ? std::nullopt : std::optional{permissions}, .mtime = mtime};
}

Bytes encode_data(const Data& data) {
    Bytes out;
    protobuf::append_varint(out, type_field, static_cast<std::uint64_t>(data.type));
    if (data.data) {
        protobuf::append_bytes(out, data_field, *data.data);
    }
    append_if(out, file_size_field, data.file_size);
    for (const std::uint64_t size : data.block_sizes) {
        protobuf::append_varint(out, block_size_field, size);
    }
    append_if(out, hash_type_field, data.hash_type);
    append_if(out, fanout_field, data.fanout);
    append_if(out, mode_field, data.mode);
    if (data.mtime) {
        protobuf::append_bytes(out, mtime_field, encode_unix_time(*data.mtime));
    }
    return out;
}

Result<Data> decode_data(ByteView input) {
    const Field type = TRY(protobuf::take_field(input));
    if (!type.is(type_field, Wire::varint)) {
        return malformed("UnixFS message does not start with its type");
    }
    if (type.value > static_cast<std::uint64_t>(DataType::hamt_shard)) {
        return Error{Errc::unsupported, "unknown UnixFS type " + std::to_string(type.value)};
    }
    Data data{.type = DataType{static_cast<std::uint8_t>(type.value)}};
    std::uint64_t previous = type_field;
    while (!input.empty()) {
        const Field field = TRY(protobuf::take_field(input));
        const bool may_repeat = field.number == block_size_field;
        if (field.number < previous || (field.number == previous && !may_repeat)) {
            return malformed("UnixFS message has a field twice or out of order");
        }
        previous = field.number;
        TRY(store(data, field));
    }
    return data;
}

} // namespace ic::unixfs
