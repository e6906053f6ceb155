#include "net/testing/web_socket_fixture.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <filesystem>
#include <string>

namespace ic::net {
namespace {

using namespace std::chrono_literals;
using testing::quick_options;

template <class T, auto function>
struct Free {
    void operator()(T* value) const { function(value); }
};

using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION, X509_EXTENSION_free>>;
using File = std::unique_ptr<std::FILE, Free<std::FILE, std::fclose>>;

enum class Age : std::uint8_t { valid, over };

/// A key and a certificate that signs itself, in PEM files.
class SelfMade {
public:
    /// `names`: "DNS:name,IP:address".
    SelfMade(std::string folder, const char* names, Age age) : folder_(std::move(folder)) {
        const Key key{EVP_EC_gen("P-256")};
        const Certificate made{X509_new()};
        X509_set_version(made.get(), X509_VERSION_3);
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
        const long end = age == Age::valid ? 3'600 : -60;
        X509_gmtime_adj(X509_getm_notBefore(made.get()), -3'600);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), end);
        X509_set_pubkey(made.get(), key.get());
        const Extension extension{
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names)};
        X509_add_ext(made.get(), extension.get(), -1);
        EXPECT_GT(X509_sign(made.get(), key.get(), EVP_sha256()), 0);
        const File certificate_to{std::fopen(certificate().c_str(), "we")};
        const File key_to{std::fopen(this->key().c_str(), "we")};
        EXPECT_EQ(PEM_write_X509(certificate_to.get(), made.get()), 1);
        EXPECT_EQ(
            PEM_write_PrivateKey(key_to.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr),
            1);
    }

    std::string certificate() const { return folder_ + "/certificate.pem"; }

    std::string key() const { return folder_ + "/key.pem"; }

private:
    std::string folder_;
};

class WebTlsTest : public testing::WebSocketFixture {
protected:
    void SetUp() override {
        WebSocketFixture::SetUp();
        std::string name = (std::filesystem::temp_directory_path() / "ic-tls-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }

    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    WebSocketOptions serve(const char* names, Age age = Age::valid) {
        const SelfMade made(folder_, names, age);
        listener_options_.certificate_file = made.certificate();
        listener_options_.key_file = made.key();
        listen();
        WebSocketOptions trusting = quick_options();
        trusting.trusted_file = made.certificate();
        return trusting;
    }

    std::string at(const std::string& host) const {
        return "wss://" + host + ":" + std::to_string(listener_->port()) + "/node";
    }

    std::string why_not(const std::string& to, const WebSocketOptions& options) {
        const auto end = dial(to, options);
        EXPECT_TRUE(until([&] { return !end->closed.empty() || end->opened == 1; }));
        EXPECT_EQ(end->opened, 0);
        return end->closed.empty() ? "" : end->closed[0];
    }

    std::string folder_;
};

TEST_F(WebTlsTest, CarriesMessagesWhenItsCertificateIsTrusted) {
    const WebSocketOptions trusting = serve("DNS:localhost,IP:127.0.0.1");
    for (const std::string host : {"localhost", "127.0.0.1"}) {
        accepted_.clear();
        const auto here = dial(at(host), trusting);
        for (int n = 0; n < 50; ++n) {
            here->socket->send(Bytes(60'000, static_cast<std::uint8_t>(n)));
        }
        ASSERT_TRUE(until([&] { return !here->closed.empty() || !accepted_.empty(); }));
        ASSERT_TRUE(here->closed.empty()) << here->closed[0];
        testing::End& there = *accepted_[0];
        ASSERT_TRUE(until([&] { return there.messages.size() == 50; }));
        EXPECT_EQ(there.messages[49], Bytes(60'000, 49));
        there.socket->send({1, 2});
        there.socket->close("enough");
        ASSERT_TRUE(until([&] { return !here->closed.empty() && !there.closed.empty(); }));
        EXPECT_EQ(here->messages, std::vector<Bytes>{(Bytes{1, 2})});
        EXPECT_EQ(here->closed[0], "the other side closed: enough");
    }
}

TEST_F(WebTlsTest, RefusesACertificateThatIsNotTrusted) {
    serve("DNS:localhost,IP:127.0.0.1");
    EXPECT_EQ(why_not(at("127.0.0.1"), quick_options()),
              "TLS: its certificate is not trusted: self-signed certificate");
    EXPECT_TRUE(accepted_.empty());
}

TEST_F(WebTlsTest, RefusesACertificateOfAnotherName) {
    const WebSocketOptions trusting = serve("DNS:other.example,IP:127.0.0.2");
    EXPECT_EQ(why_not(at("localhost"), trusting),
              "TLS: its certificate is not trusted: hostname mismatch");
    EXPECT_EQ(why_not(at("127.0.0.1"), trusting),
              "TLS: its certificate is not trusted: IP address mismatch");
    EXPECT_TRUE(accepted_.empty());
}

TEST_F(WebTlsTest, RefusesACertificateWhoseTimeIsOver) {
    const WebSocketOptions trusting = serve("IP:127.0.0.1", Age::over);
    EXPECT_EQ(why_not(at("127.0.0.1"), trusting),
              "TLS: its certificate is not trusted: certificate has expired");
}

TEST_F(WebTlsTest, DoesNotSpeakWithoutTls) {
    const WebSocketOptions trusting = serve("IP:127.0.0.1");
    EXPECT_NE(why_not("ws://127.0.0.1:" + std::to_string(listener_->port()) + "/node", trusting),
              "");
    EXPECT_TRUE(accepted_.empty());
}

TEST_F(WebTlsTest, BoundsTheTimeOfItsHandshake) {
    listener_options_.socket.handshake_time_max = 100ms;
    serve("IP:127.0.0.1");
    const UniqueFd silent = connect_raw();
    Reading reading;
    EXPECT_TRUE(until([&] {
        read_raw(silent, reading);
        return reading.ended;
    }));
}

TEST_F(WebTlsTest, ItsLoopMayGoFirst) {
    const WebSocketOptions trusting = serve("IP:127.0.0.1");
    const auto open = dial(at("127.0.0.1"), trusting);
    ASSERT_TRUE(until([&] { return open->opened == 1 && !accepted_.empty(); }));
    open->socket->send(Bytes(60'000));
    const auto under_way = dial(at("127.0.0.1"), trusting);
    loop_->run_for(1ms);
    loop_.reset();
    EXPECT_TRUE(open->closed.empty() && under_way->closed.empty());
}

TEST_F(WebTlsTest, SaysWhichFileCannotBeRead) {
    WebSocketOptions options = quick_options();
    options.trusted_file = folder_ + "/none.pem";
    const auto failed = WebSocket::dial(*loop_, "wss://127.0.0.1/", options, {});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::unavailable);
    EXPECT_NE(failed.error().message.find("none.pem"), std::string::npos);
}

} // namespace
} // namespace ic::net
