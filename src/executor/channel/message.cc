#include "executor/channel/message.h"

#include <array>
#include <concepts>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

namespace ic::executor::channel {
namespace {

/// Writes fields: integers little-endian at their full width, lengths as 32 bits before what they
/// count. There is one way to write a value, so reading needs no rule of canonical form beyond
/// "what is left over, and a flag that is neither 0 nor 1, is malformed".
class Encoder {
public:
    explicit Encoder(Bytes& out) : out_(out) {}

    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    void operator()(const T& value) {
        for (std::size_t index = 0; index < sizeof(T); ++index) {
            out_.push_back(static_cast<std::uint8_t>(value >> (8 * index)));
        }
    }

    template <std::signed_integral T>
    void operator()(const T& value) {
        (*this)(static_cast<std::make_unsigned_t<T>>(value));
    }

    void operator()(const bool& value) { out_.push_back(value ? 1 : 0); }

    template <class T>
        requires std::is_enum_v<T>
    void operator()(const T& value) {
        (*this)(static_cast<std::underlying_type_t<T>>(value));
    }

    void operator()(const Bytes& value) { counted(ByteView{value}); }

    void operator()(const std::string& value) { counted(bytes_of(value)); }

    void operator()(const Cid& value) { counted(value.bytes()); }

    template <std::size_t N>
    void operator()(const std::array<std::uint8_t, N>& value) {
        out_.insert(out_.end(), value.begin(), value.end());
    }

    template <class T>
    void operator()(const std::optional<T>& value) {
        (*this)(value.has_value());
        if (value) {
            (*this)(*value);
        }
    }

    template <class A, class B>
    void operator()(const std::pair<A, B>& value) {
        (*this)(value.first);
        (*this)(value.second);
    }

    template <class T>
        requires(!std::same_as<T, std::uint8_t>)
    void operator()(const std::vector<T>& values) {
        (*this)(static_cast<std::uint32_t>(values.size()));
        for (const T& value : values) {
            (*this)(value);
        }
    }

    void operator()(WallSet value) { (*this)(value.bits()); }

    /// A text or byte string has a bound of its own.
    template <class T>
    void bounded(const T& value, std::size_t bytes_max) {
        fits_ = fits_ && value.size() <= bytes_max;
        (*this)(value);
    }

    bool fits() const { return fits_; }

private:
    void counted(ByteView value) {
        (*this)(static_cast<std::uint32_t>(value.size()));
        out_.insert(out_.end(), value.begin(), value.end());
    }

    Bytes& out_;
    bool fits_ = true;
};

/// Reads what Encoder writes. After the first fault every further read does nothing.
class Decoder {
public:
    explicit Decoder(ByteView input) : input_(input) {}

    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    void operator()(T& value) {
        const ByteView bytes = take(sizeof(T));
        value = 0;
        for (std::size_t index = 0; index < bytes.size(); ++index) {
            value = static_cast<T>(value | (static_cast<T>(bytes[index]) << (8 * index)));
        }
    }

    template <std::signed_integral T>
    void operator()(T& value) {
        std::make_unsigned_t<T> bits{};
        (*this)(bits);
        value = static_cast<T>(bits);
    }

    void operator()(bool& value) {
        std::uint8_t byte = 0;
        (*this)(byte);
        if (byte > 1) {
            fail();
        }
        value = byte == 1;
    }

    void operator()(Errc& value) {
        std::uint8_t number = 0;
        (*this)(number);
        if (const std::optional<Errc> code = errc_of(number)) {
            value = *code;
        } else {
            fail();
        }
    }

    void operator()(job::Stream& value) { ranged(value, job::Stream::output, job::Stream::log); }

    void operator()(Dump& value) { ranged(value, Dump::coredump, Dump::profile); }

    void operator()(job::Effects& value) {
        ranged(value, job::Effects::pure, job::Effects::impure);
    }

    void operator()(Bytes& value) {
        const ByteView bytes = counted();
        value.assign(bytes.begin(), bytes.end());
    }

    void operator()(std::string& value) { value = text_of(counted()); }

    void operator()(Cid& value) {
        Result<Cid> cid = Cid::from_bytes(counted());
        if (cid) {
            value = std::move(cid).take();
        } else {
            fail();
        }
    }

    template <std::size_t N>
    void operator()(std::array<std::uint8_t, N>& value) {
        const ByteView bytes = take(N);
        std::copy(bytes.begin(), bytes.end(), value.begin());
    }

    template <class T>
    void operator()(std::optional<T>& value) {
        bool present = false;
        (*this)(present);
        if (present) {
            (*this)(value.emplace());
        }
    }

    template <class A, class B>
    void operator()(std::pair<A, B>& value) {
        (*this)(value.first);
        (*this)(value.second);
    }

    template <class T>
        requires(!std::same_as<T, std::uint8_t>)
    void operator()(std::vector<T>& values) {
        std::uint32_t count = 0;
        (*this)(count);
        if (count > limits::list_elements_max) {
            fail();
        }
        for (std::uint32_t index = 0; index < count && sound_; ++index) {
            (*this)(values.emplace_back());
        }
    }

    void operator()(WallSet& value) {
        std::uint8_t bits = 0;
        (*this)(bits);
        value = WallSet(bits);
        if (value.bits() != bits) {
            fail();
        }
    }

    template <class T>
    void bounded(T& value, std::size_t bytes_max) {
        (*this)(value);
        if (value.size() > bytes_max) {
            fail();
        }
    }

    bool done() const { return sound_ && input_.empty(); }

private:
    void fail() {
        sound_ = false;
        input_ = {};
    }

    ByteView take(std::size_t count) {
        if (!sound_ || input_.size() < count) {
            fail();
            return {};
        }
        const ByteView bytes = input_.first(count);
        input_ = input_.subspan(count);
        return bytes;
    }

    ByteView counted() {
        std::uint32_t count = 0;
        (*this)(count);
        return take(count);
    }

    template <class T>
    void ranged(T& value, T first, T last) {
        std::underlying_type_t<T> number{};
        (*this)(number);
        value = static_cast<T>(number);
        if (value < first || value > last) {
            fail();
        }
    }

    ByteView input_;
    bool sound_ = true;
};

template <class M, class T>
concept Is = std::same_as<std::remove_const_t<M>, T>;

// One list of fields a type, for writing and for reading.

void fields(auto& io, Is<job::Limits> auto& limits) {
    io(limits.module_bytes_max);
    io(limits.compile_ms_max);
    io(limits.compile_memory_bytes_max);
    io(limits.memory_bytes_max);
    io(limits.table_elements_max);
    io(limits.wall_ms_max);
    io(limits.cpu_ms_max);
    io(limits.fuel_max);
    io(limits.output_bytes_max);
    io(limits.log_bytes_max);
    io(limits.add_bytes_max);
    io(limits.handles_max);
    io(limits.host_calls_max);
    io(limits.curls_max);
}

void fields(auto& io, Is<Task> auto& task) {
    io(task.lease.job);
    io(task.lease.epoch.incarnation);
    io(task.lease.epoch.n);
    io(task.spec.module);
    io(task.spec.handler);
    io(task.spec.arguments);
    io(task.spec.environment);
    io(task.spec.event);
    io(task.spec.inputs);
    fields(io, task.spec.limits);
    io(task.spec.allow_hosts);
    io(task.spec.effects);
    io(task.seed);
}

void fields(auto& io, Is<job::Ending> auto& ending) {
    io(ending.error);
    io.bounded(ending.message, limits::text_bytes_max);
    io(ending.exit_status);
    io(ending.value);
}

void fields(auto& io, Is<job::Usage> auto& usage) {
    io(usage.fetch_us);
    io(usage.compile_us);
    io(usage.run_us);
    io(usage.publish_us);
    io(usage.cpu_us);
    io(usage.fuel);
    io(usage.memory_bytes_peak);
    io(usage.bytes_read);
    io(usage.bytes_added);
    io(usage.host_calls);
}

void fields(auto& io, Is<Hello> auto& m) {
    io(m.slot);
    io(m.record);
    io(m.walls);
}

void fields(auto& io, Is<Load> auto& m) { io(m.module); }

void fields(auto& io, Is<Drop> auto& m) { io(m.module); }

void fields(auto& io, Is<Start> auto& m) {
    io(m.run);
    io(m.module);
    fields(io, m.task);
}

void fields(auto& io, Is<Reply> auto& m) {
    io(m.sequence);
    io(m.error);
    io.bounded(m.message, limits::text_bytes_max);
    io(m.number);
    io(m.window_bytes);
    io(m.cid);
}

void fields(auto& io, Is<Ready> auto& m) { io(m.slot); }

void fields(auto& io, Is<NotLoaded> auto& m) {
    io(m.run);
    io(m.code);
    io.bounded(m.message, limits::text_bytes_max);
}

void fields(auto& io, Is<GetBlock> auto& m) {
    io(m.sequence);
    io(m.cid);
}

void fields(auto& io, Is<AddWrite> auto& m) {
    io(m.sequence);
    io(m.adder);
    io(m.bytes);
    io(m.last);
}

void fields(auto& io, Is<AddDrop> auto& m) { io(m.adder); }

void fields(auto& io, Is<CurlOpen> auto& m) {
    io(m.sequence);
    io(m.bytes);
}

void fields(auto& io, Is<CurlRead> auto& m) {
    io(m.sequence);
    io(m.body);
    io(m.bytes_max);
}

void fields(auto& io, Is<CurlClose> auto& m) { io(m.body); }

void fields(auto& io, Is<Log> auto& m) { io.bounded(m.lines, limits::piece_bytes_max); }

void fields(auto& io, Is<Output> auto& m) {
    io(m.stream);
    io.bounded(m.data, limits::piece_bytes_max);
}

void fields(auto& io, Is<Finished> auto& m) {
    io(m.run);
    fields(io, m.ending);
    fields(io, m.usage);
    io.bounded(m.output, limits::rest_bytes_max);
    io.bounded(m.errors, limits::rest_bytes_max);
}

void fields(auto& io, Is<Compile> auto& m) {
    fields(io, m.limits);
    io(m.walls);
}

void fields(auto& io, Is<Compiled> auto& m) { io(m.artifact_bytes); }

void fields(auto& io, Is<CompileFailed> auto& m) {
    io(m.code);
    io.bounded(m.message, limits::text_bytes_max);
}

void fields(auto& io, Is<Debug> auto& m) {
    io(m.debugging.trace);
    io(m.debugging.coredump);
    io(m.debugging.profile);
}

void fields(auto& io, Is<Trace> auto& m) { io.bounded(m.lines, limits::piece_bytes_max); }

void fields(auto& io, Is<DumpPiece> auto& m) {
    io(m.kind);
    io.bounded(m.data, limits::piece_bytes_max);
}

void fields(auto& io, Is<Imports> auto& m) {
    io(m.imports);
    io(m.modules);
}

template <std::size_t Index = 0>
bool read_alternative(std::size_t kind, Decoder& decoder, Message& message) {
    if constexpr (Index < std::variant_size_v<Message>) {
        if (kind == Index + 1) {
            fields(decoder, message.emplace<Index>());
            return true;
        }
        return read_alternative<Index + 1>(kind, decoder, message);
    }
    return false;
}

} // namespace

Result<void> encode(const Message& message, Bytes& out) {
    out.clear();
    out.push_back(version);
    out.push_back(static_cast<std::uint8_t>(message.index() + 1));
    Encoder encoder(out);
    std::visit([&encoder](const auto& body) { fields(encoder, body); }, message);
    if (!encoder.fits() || out.size() > limits::message_bytes_max) {
        return Error{Errc::too_large, "a message to another process is too large"};
    }
    return {};
}

Result<Message> decode(ByteView bytes) {
    if (bytes.size() > limits::message_bytes_max) {
        return Error{Errc::too_large,
                     "channel message of " + std::to_string(bytes.size()) + " bytes"};
    }
    if (bytes.size() < 2) {
        return Error{Errc::malformed, "channel message without a kind"};
    }
    if (bytes[0] != version) {
        return Error{Errc::unsupported, "channel version " + std::to_string(bytes[0])};
    }
    Message message;
    Decoder decoder(bytes.subspan(2));
    if (!read_alternative(bytes[1], decoder, message)) {
        return Error{Errc::unsupported, "channel message of kind " + std::to_string(bytes[1])};
    }
    if (!decoder.done()) {
        return Error{Errc::malformed, "channel message of kind " + std::to_string(bytes[1])};
    }
    return message;
}

} // namespace ic::executor::channel
