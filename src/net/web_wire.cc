#include "net/web_wire.h"

#include "net/address.h"

#include <algorithm>

namespace ic::net {
namespace ssl = boost::asio::ssl;

namespace {

Error unusable(const std::string& what, const boost::system::error_code& failure) {
    return {Errc::unavailable, what + ": " + failure.message()};
}

constexpr auto tls_1_2_or_later = ssl::context::default_workarounds | ssl::context::no_sslv2 |
                                  ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                                  ssl::context::no_tlsv1_1;

} // namespace

Result<TlsContext> tls_for_dialling(const std::string& trusted_file) {
    try {
        auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
        context->set_options(tls_1_2_or_later);
        context->set_verify_mode(ssl::verify_peer);
        boost::system::error_code failure;
        context->set_default_verify_paths(failure);
        if (failure) {
            return unusable("the system's certificates", failure);
        }
        if (!trusted_file.empty()) {
            context->load_verify_file(trusted_file, failure);
        }
        if (failure) {
            return unusable("trusted certificates '" + trusted_file + "'", failure);
        }
        return context;
    } catch (const std::exception& failure) {
        return Error{Errc::unavailable, std::string("no TLS: ") + failure.what()};
    }
}

Result<TlsContext> tls_for_listening(const TlsFiles& files) {
    try {
        auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
        context->set_options(tls_1_2_or_later);
        boost::system::error_code failure;
        context->use_certificate_chain_file(files.certificate, failure);
        if (failure) {
            return unusable("certificate '" + files.certificate + "'", failure);
        }
        context->use_private_key_file(files.key, ssl::context::pem, failure);
        if (failure) {
            return unusable("key '" + files.key + "' of that certificate", failure);
        }
        return context;
    } catch (const std::exception& failure) {
        return Error{Errc::unavailable, std::string("no TLS: ") + failure.what()};
    }
}

std::string text_of(const boost::asio::ip::tcp::endpoint& endpoint) {
    const boost::asio::ip::address from = endpoint.address();
    Address address;
    if (from.is_v4()) {
        const auto bytes = from.to_v4().to_bytes();
        address = Address::v4(bytes[0], bytes[1], bytes[2], bytes[3]);
    } else {
        std::ranges::copy(from.to_v6().to_bytes(), address.bytes.begin());
    }
    const std::string text = address.to_string();
    return (address.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(endpoint.port());
}

} // namespace ic::net
