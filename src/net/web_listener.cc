#include "net/web_listener.h"

#include <boost/asio/ip/v6_only.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace ic::net {
namespace asio = boost::asio;

namespace {

constexpr int backlog = 128;
constexpr int accepted_at_once_max = 16; // Then others of the loop have their turn.
constexpr std::chrono::milliseconds without_descriptors{100};

// Who has one IPv6 address has a network of them.
Address network_of(const asio::ip::address& from) {
    if (from.is_v4()) {
        const auto bytes = from.to_v4().to_bytes();
        return Address::v4(bytes[0], bytes[1], bytes[2], bytes[3]);
    }
    Address address;
    std::ranges::copy(from.to_v6().to_bytes(), address.bytes.begin());
    if (!address.is_v4()) {
        std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
    }
    return address;
}

Result<asio::ip::tcp::endpoint> endpoint_of(std::string_view text) {
    const Error malformed{Errc::malformed,
                          "'" + std::string(text) + "' is not IPV4:PORT or [IPV6]:PORT"};
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return malformed;
    }
    const std::string_view digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    std::string_view host = text.substr(0, colon);
    const bool brackets = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    if (failure != std::errc() || end != digits.data() + digits.size() ||
        (!brackets && host.find(':') != std::string_view::npos)) {
        return malformed;
    }
    if (brackets) {
        host = host.substr(1, host.size() - 2);
    }
    boost::system::error_code no_address;
    const asio::ip::address address = asio::ip::make_address(std::string(host), no_address);
    if (no_address || address.is_v6() != brackets) {
        return malformed;
    }
    return asio::ip::tcp::endpoint{address, port};
}

} // namespace

WebPlace::WebPlace(std::shared_ptr<WebSocketListener::State> listener, const Address& from)
    : listener_(std::move(listener))
    , network_(from) {
    ++listener_->connections_;
    ++listener_->handshakes_;
    ++listener_->by_network_[network_];
}

WebPlace::~WebPlace() {
    upgraded();
    --listener_->connections_;
    const auto found = listener_->by_network_.find(network_);
    if (--found->second == 0) {
        listener_->by_network_.erase(found);
    }
}

void WebPlace::upgraded() {
    if (std::exchange(in_handshake_, false)) {
        --listener_->handshakes_;
    }
}

WebSocketListener::State::State(asio::io_context& context,
                                WebListenerOptions options,
                                WebListenerCallbacks calls)
    : LoopGuest(context)
    , context_(&context)
    , options_(std::move(options))
    , callbacks_(std::make_shared<WebListenerCallbacks>(std::move(calls))) {
    acceptor_.emplace(context.get_executor());
    retry_.emplace(context.get_executor());
}

void WebSocketListener::State::leave() noexcept {
    context_ = nullptr;
    acceptor_.reset();
    retry_.reset();
    callbacks_.reset();
}

Result<void> WebSocketListener::State::listen(const asio::ip::tcp::endpoint& endpoint) {
    if (!options_.certificate_file.empty() || !options_.key_file.empty()) {
        tls_ = TRY(tls_for_listening(
            {.certificate = options_.certificate_file, .key = options_.key_file}));
    }
    UniqueFd fd(
        ::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) {
        return Error{Errc::unavailable, std::string("no socket: ") + std::strerror(errno)};
    }
    boost::system::error_code failure;
    acceptor_->assign(endpoint.protocol(), fd.get(), failure);
    if (failure) {
        return Error{Errc::unavailable, "no socket: " + failure.message()};
    }
    static_cast<void>(fd.release());
    acceptor_->set_option(asio::socket_base::reuse_address(true), failure);
    if (endpoint.protocol() == asio::ip::tcp::v6()) {
        acceptor_->set_option(asio::ip::v6_only(false), failure);
    }
    acceptor_->bind(endpoint, failure);
    if (!failure) {
        acceptor_->listen(backlog, failure);
    }
    const auto bound = failure ? endpoint : acceptor_->local_endpoint(failure);
    if (failure) {
        return Error{Errc::unavailable,
                     "cannot listen at " + text_of(endpoint) + ": " + failure.message()};
    }
    port_ = bound.port();
    return {};
}

void WebSocketListener::State::wait() {
    acceptor_->async_wait(asio::socket_base::wait_read,
                          [self = shared_from_this()](const boost::system::error_code& failure) {
                              if (failure || !self->acceptor_->is_open()) {
                                  return;
                              }
                              if (self->accept_some()) {
                                  self->wait();
                                  return;
                              }
                              self->retry_->expires_after(without_descriptors);
                              self->retry_->async_wait([self](const auto& cancelled) {
                                  if (!cancelled && self->acceptor_->is_open()) {
                                      self->wait();
                                  }
                              });
                          });
}

bool WebSocketListener::State::accept_some() {
    for (int accepted = 0; accepted < accepted_at_once_max; ++accepted) {
        asio::ip::tcp::endpoint from;
        auto size = static_cast<socklen_t>(from.capacity());
        UniqueFd fd(::accept4(
            acceptor_->native_handle(), from.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd) {
            return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
        }
        from.resize(size);
        admit(std::move(fd), from);
    }
    return true;
}

bool WebSocketListener::State::has_room(const Address& network) const {
    const auto found = by_network_.find(network);
    return connections_ < options_.connections_max && handshakes_ < options_.handshakes_max &&
           (found == by_network_.end() || found->second < options_.connections_per_address_max);
}

void WebSocketListener::State::admit(UniqueFd fd, const asio::ip::tcp::endpoint& from) {
    const Address network = network_of(from.address());
    if (!has_room(network)) {
        // For people who wonder; a peer with TLS meets the end alone.
        constexpr std::string_view full = "HTTP/1.1 503 Service Unavailable\r\n"
                                          "Content-Type: text/plain; charset=utf-8\r\n"
                                          "Content-Length: 21\r\nConnection: close\r\n\r\n"
                                          "too many connections\n";
        if (!tls_) {
            static_cast<void>(
                ::send(fd.get(), full.data(), full.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
        }
        return;
    }
    WebTcp socket(context_->get_executor());
    boost::system::error_code failure;
    socket.assign(from.protocol(), fd.get(), failure);
    if (failure) {
        return;
    }
    static_cast<void>(fd.release());
    socket.set_option(asio::ip::tcp::no_delay(true), failure);
    try {
        auto place = std::make_shared<WebPlace>(shared_from_this(), network);
        std::make_shared<WebIncoming>(shared_from_this(),
                                      tls_ ? WebWire(std::move(socket), tls_)
                                           : WebWire(std::move(socket)),
                                      std::move(place),
                                      text_of(from))
            ->begin();
    } catch (const std::exception&) { // OpenSSL has no memory: the socket is closed.
    }
}

void WebSocketListener::State::close() {
    callbacks_.reset();
    if (context_ == nullptr) {
        return;
    }
    boost::system::error_code ignored;
    acceptor_->close(ignored);
    retry_->cancel();
    for (WebIncoming* const one : incoming_) {
        one->close();
    }
}

Result<std::unique_ptr<WebSocketListener>>
WebSocketListener::open(EventLoop& loop,
                        std::string_view address,
                        const WebListenerOptions& options,
                        WebListenerCallbacks callbacks) {
    const asio::ip::tcp::endpoint endpoint = TRY(endpoint_of(address));
    try {
        auto state = std::make_shared<State>(LoopContext::of(loop), options, std::move(callbacks));
        TRY(state->listen(endpoint));
        state->wait();
        return std::make_unique<WebSocketListener>(std::move(state));
    } catch (const std::exception& failure) { // Asio throws when a system has no more to give.
        return Error{Errc::unavailable, std::string("no listener: ") + failure.what()};
    }
}

WebSocketListener::WebSocketListener(std::shared_ptr<State> state) : state_(std::move(state)) {}

WebSocketListener::~WebSocketListener() { state_->close(); }

std::uint16_t WebSocketListener::port() const { return state_->port(); }

} // namespace ic::net
