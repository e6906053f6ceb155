#include "executor/channel/window.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <utility>

namespace ic::executor::channel {
namespace {

constexpr std::size_t control_bytes = 4096;
constexpr std::size_t window_bytes =
    control_bytes + limits::to_executor_bytes + limits::to_broker_bytes;
constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
static_assert(sizeof(Control) <= control_bytes);

Error failed(const char* what) {
    return Error{Errc::unavailable, std::string(what) + ": " + std::strerror(errno)};
}

} // namespace

Window::Window(UniqueFd memory, std::uint8_t* base) : memory_(std::move(memory)), base_(base) {}

Window::Window(Window&& other) noexcept
    : memory_(std::move(other.memory_))
    , base_(std::exchange(other.base_, nullptr)) {}

Window& Window::operator=(Window&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(base_, other.base_);
    return *this;
}

Window::~Window() {
    if (base_ != nullptr) {
        ::munmap(base_, window_bytes);
    }
}

Result<Window> Window::map(UniqueFd memory) {
    void* base = ::mmap(nullptr, window_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
    if (base == MAP_FAILED) {
        return failed("mapping the window");
    }
    return Window(std::move(memory), static_cast<std::uint8_t*>(base));
}

Result<Window> Window::create() {
    UniqueFd memory(::memfd_create("ic-window", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory || ::ftruncate(memory.get(), static_cast<off_t>(window_bytes)) != 0 ||
        ::fcntl(memory.get(), F_ADD_SEALS, seals) != 0) {
        return failed("making the window");
    }
    Window window = TRY(map(std::move(memory)));
    new (window.base_) Control();
    return window;
}

Result<Window> Window::attach(UniqueFd memory) {
    struct stat status{};
    if (::fstat(memory.get(), &status) != 0) {
        return failed("looking at the window");
    }
    if (status.st_size != static_cast<off_t>(window_bytes) ||
        ::fcntl(memory.get(), F_GET_SEALS) != seals) {
        return Error{Errc::malformed, "the window has another size or can still change it"};
    }
    return map(std::move(memory));
}

Control& Window::control() const { return *std::launder(reinterpret_cast<Control*>(base_)); }

std::span<std::uint8_t> Window::to_executor() const {
    return {base_ + control_bytes, limits::to_executor_bytes};
}

std::span<std::uint8_t> Window::to_broker() const {
    return {base_ + control_bytes + limits::to_executor_bytes, limits::to_broker_bytes};
}

void Window::allow(Instant lease_until, std::optional<Errc> stop) const {
    control().lease_until_ns.store(lease_until.since_boot.count(), std::memory_order_relaxed);
    control().stop_reason.store(stop ? static_cast<std::uint32_t>(*stop) : 0,
                                std::memory_order_release);
}

} // namespace ic::executor::channel
