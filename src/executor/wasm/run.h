#pragma once
/// Run: all that one run of a guest has besides its instance.

#include "base/time.h"
#include "executor/executor.h"
#include "executor/wasm/capture.h"
#include "executor/wasm/chacha20.h"
#include "executor/wasm/guest_clock.h"
#include "executor/wasm/guest_memory.h"
#include "executor/wasm/handles.h"
#include "executor/wasm/native.h"
#include "executor/wasm/services.h"
#include "ipld/block.h"
#include "unixfs/file_reader.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ic::executor::wasm {

class GuestProfile;
class Run;
class Tracer;

/// The blocks of a run: counted, and a block that cannot be had ends the run, whatever is made of
/// the error. Identity CIDs are answered from themselves.
class RunBlocks final : public BlockSource {
public:
    explicit RunBlocks(Run& run) : run_(run) {}

    Result<LentBytes> get(const Cid& cid) override;

private:
    Run& run_;
};

/// What standard input, output and error are to WASI.
struct StandardStream {
    bool open = true;
    std::uint64_t position = 0; ///< In standard input.
};

/// One object serves many runs, one after the other, so that it keeps its buffers. The first reason
/// to end wins: a host function records it here and returns, and the boundary turns it into a trap.
/// Threads: one at a time.
class Run {
public:
    Run() : blocks(*this) {}

    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    void begin(const Task& task, Services& services);

    /// Closes what is open, forgets task and services.
    void finish();

    const Task& task() const { return *task_; }

    Services& services() const { return *services_; }

    bool pure() const { return task_->spec.effects == job::Effects::pure; }

    /// The run ends with this error, unless it has ended already.
    void stop(Errc code, std::string message);

    /// The guest ended itself.
    void exit(std::int32_t status);

    /// The handler returned.
    void give(std::optional<std::int64_t> value) { ending_.value = value; }

    bool ended() const { return ended_; }

    const job::Ending& ending() const { return ending_; }

    /// Whether wall time, processor time, lease and permit let the run go on; if not, it has ended.
    /// Cost: a clock read without a system call, and one with, if `Thorough::yes`.
    enum class Thorough : std::uint8_t { no, yes };
    bool may_go_on(Thorough thorough = Thorough::no);

    /// What the ticker's beat does in the guest's thread: hands on what was written and logged, and
    /// asks everything. Whether the run may go on.
    bool beat();

    /// Before a call that may block: nothing written stays behind, and no effect comes after the
    /// end of a lease. Whether the call may be made.
    bool before_effect();

    /// For an effect whose error is not the guest's doing: ends the run unless it has ended.
    void stop_for(Error error, std::string_view doing);

    /// Bytes that add up over the run. False, and the run ended, beyond the limit.
    bool count_added(std::uint64_t bytes);

    void fill_random(std::span<std::uint8_t> out);

    /// The event. Bytes read, 0 at the end; after an error the run has ended.
    std::size_t read_event(std::uint64_t offset, std::span<std::uint8_t> out);
    /// Its size. As above.
    std::uint64_t event_size();

    /// Counts this host call and finds the memory for it: that of the module that calls. False, and
    /// the run ended, beyond the limit of calls.
    [[nodiscard]] bool enter(wasmtime_caller_t* caller);
    /// Bytes of memory that the guest has now.
    std::uint64_t memory_bytes(wasmtime_context_t* context) const;
    void remember_memory(const wasmtime_memory_t& handle) { memory_handle_ = handle; }

    /// "NAME=value" for each, in order.
    const std::vector<std::string>& environment() const { return environment_; }

    const std::vector<std::string>& arguments() const { return arguments_; }

    GuestMemory memory;
    Capture capture;
    GuestClock clock;
    Handles handles;
    RunBlocks blocks;
    std::array<StandardStream, 3> standard;
    job::Usage usage;
    /// Where every host call is told; null: nowhere. Set after `begin`, until the run is over.
    Tracer* tracer = nullptr;
    /// Samples the guest at each beat; null: nobody asked. As `tracer`.
    GuestProfile* profile = nullptr;

private:
    void list_arguments();
    void list_environment();
    bool open_event();
    /// From the kernel. False, and the run ended, if it has none.
    bool draw(std::span<std::uint8_t> out);
    /// From what was drawn ahead: a call of the kernel costs more than a small read is worth.
    bool take_drawn(std::span<std::uint8_t> out);

    const Task* task_ = nullptr;
    Services* services_ = nullptr;
    bool ended_ = false;
    job::Ending ending_;
    Instant started_{};
    std::uint64_t processor_started_ = 0;
    std::optional<ChaCha20> random_;
    std::array<std::uint8_t, 512> drawn_{}; // Of this run; the last drawn_left_ bytes are unused.
    std::size_t drawn_left_ = 0;
    std::optional<unixfs::FileReader> event_;
    std::optional<wasmtime_memory_t> memory_handle_;
    bool memory_sought_ = false;
    bool has_several_memories_ = false;
    std::uint64_t host_calls_max_ = 0;
    std::vector<std::string> arguments_;
    std::vector<std::string> environment_;
};

/// The name in the environment of the input `name`: INPUT_ and the name in capitals, every byte
/// that is no letter or digit as "_".
std::string input_variable(std::string_view name);

} // namespace ic::executor::wasm
