#include "job/policy.h"
#include "job/testing/samples.h"
#include "job/unsigned_job.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace ic::job {
namespace {

using testing::sample_cid;
using testing::sample_key;

const std::string module_text = sample_cid(1).to_string();

// What Go's encoding/json writes of the original's struct (abhiyerra/ipfs-compute 8bc48f0), whose
// fields have no tags: all of them, with their own names, empty ones too.
std::string as_go_writes(std::string_view type = "wasm", std::string_view version = "1.0") {
    return "{\"Version\":\"" + std::string(version) + "\",\"Type\":\"" + std::string(type) +
           R"(","Docker":{"Image":"","Cmd":null},)"
           R"("AwsLambda":{"ZipFileCid":"","Runtime":"","Handler":"","Event":""},)"
           R"("Wasm":{"WasmFileCid":")" +
           module_text + R"(","Function":"handler"}})";
}

std::string of_wasm(std::string_view fields) {
    return R"({"Version":"1.0","Type":"wasm","Wasm":{)" + std::string(fields) + "}}";
}

std::string of_cid(std::string_view cid) {
    return of_wasm("\"WasmFileCid\":\"" + std::string(cid) + R"(","Function":"f")");
}

Result<UnsignedJob> read(const std::string& json) { return read_unsigned_job(bytes_of(json)); }

std::optional<Errc> code(const std::string& json) {
    const Result<UnsignedJob> job = read(json);
    return job ? std::nullopt : std::optional{job.error().code};
}

TEST(UnsignedJob, IsReadAsTheOriginalWritesIt) {
    const Result<UnsignedJob> job = read(as_go_writes());
    ASSERT_TRUE(job) << job.error().message;
    EXPECT_EQ(*job, (UnsignedJob{.module = sample_cid(1), .function = "handler"}));
    EXPECT_EQ(*read(of_wasm("\"WasmFileCid\":\"" + module_text + "\", \"Function\":\"handler\"")),
              *job);
}

TEST(UnsignedJob, ReadsBackAsItWasPrinted) {
    for (const char* const function : {"", "handler", "\"\\\n\u20ac"}) {
        const UnsignedJob job{.module = sample_cid(3), .function = function};
        EXPECT_EQ(*read_unsigned_job(print_unsigned_job(job)), job);
    }
}

TEST(UnsignedJob, IsRefusedCutAnywhere) {
    const std::string whole = as_go_writes();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(code(whole.substr(0, size)), Errc::malformed) << size;
    }
    EXPECT_EQ(code(whole + "{}"), Errc::malformed);
}

TEST(UnsignedJob, OfAnotherTypeOrVersionIsNamed) {
    EXPECT_EQ(code(as_go_writes("docker")), Errc::unsupported);
    EXPECT_EQ(code(as_go_writes("aws-lambda")), Errc::unsupported);
    EXPECT_EQ(code(as_go_writes("Wasm")), Errc::unsupported);
    EXPECT_EQ(code(as_go_writes("wasm", "1.1")), Errc::unsupported);
    EXPECT_EQ(code(as_go_writes("wasm", std::string(65, '1'))), Errc::too_large);
}

TEST(UnsignedJob, IsStrictAboutItsFields) {
    const std::string cid = "\"WasmFileCid\":\"" + module_text + "\"";
    EXPECT_EQ(code(of_wasm(cid)), Errc::malformed) << "no function";
    EXPECT_EQ(code(of_wasm(R"("Function":"f")")), Errc::malformed) << "no module";
    EXPECT_EQ(code(of_wasm(cid + R"(,"Function":7)")), Errc::malformed);
    EXPECT_EQ(code(of_wasm(cid + R"(,"Function":"f","Function":"g")")), Errc::malformed);
    EXPECT_EQ(code(of_wasm(cid + R"(,"Function":"f","Event":"e")")), Errc::unsupported);
    EXPECT_EQ(code(of_wasm(cid + R"(,"function":"f")")), Errc::malformed) << "letters count";
    EXPECT_EQ(code(of_wasm(cid + R"(,"Function":"f\u0000")")), Errc::malformed);
    EXPECT_EQ(code(R"({"Version":"1.0","Type":"wasm"})"), Errc::malformed);
    EXPECT_EQ(code(R"({"Version":"1.0","Type":"wasm","Wasm":[]})"), Errc::malformed);
    EXPECT_EQ(code(R"(["Version"])"), Errc::malformed);
    std::string more = as_go_writes();
    more.back() = ',';
    EXPECT_EQ(code(more + R"("AllowFlood":true})"), Errc::unsupported);
    EXPECT_EQ(code(more + R"("Type":"wasm"})"), Errc::malformed);
}

TEST(UnsignedJob, TakesCidsAloneForModules) {
    EXPECT_EQ(code(of_cid("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n")), std::nullopt);
    for (const std::string& bad :
         {std::string(), "/ipfs/" + module_text, module_text + "/x", std::string("http://x")}) {
        EXPECT_TRUE(code(of_cid(bad))) << bad;
    }
    EXPECT_EQ(code(of_cid(std::string(ic::limits::cid_text_bytes_max + 1, 'b'))), Errc::too_large);
}

TEST(UnsignedJob, HasANameOfAHandlersLength) {
    const auto named = [](std::size_t size) {
        return code(of_wasm("\"WasmFileCid\":\"" + module_text + R"(","Function":")" +
                            std::string(size, 'f') + "\""));
    };
    EXPECT_EQ(named(limits::handler_bytes_max), std::nullopt);
    EXPECT_EQ(named(limits::handler_bytes_max + 1), Errc::too_large);
}

TEST(UnsignedJob, HasItsMostBytesAndNotOneMore) {
    const std::string job = as_go_writes();
    const auto padded = [&job](std::size_t size) {
        return code(std::string(size - job.size(), ' ') + job);
    };
    EXPECT_EQ(padded(limits::unsigned_job_bytes_max), std::nullopt);
    EXPECT_EQ(padded(limits::unsigned_job_bytes_max + 1), Errc::too_large);
}

class UnsignedInvocation : public ::testing::Test {
protected:
    PrivateKey key = sample_key(1);
    UnsignedJob job{.module = sample_cid(1), .function = "handler"};
    UnsignedOrigin origin{.peer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
                          .seqno = {0, 1, 2, 3, 4, 5, 6, 7}};

    Invocation invocation() const { return invocation_of(job, origin, key.public_key()).take(); }
};

TEST_F(UnsignedInvocation, IsPureWithinTheDefaultLimitsAndOfThisKey) {
    const Invocation made = invocation();
    JobSpec expected;
    expected.module = job.module;
    expected.handler = "handler";
    EXPECT_EQ(made.spec, expected);
    EXPECT_EQ(made.spec.effects, Effects::pure);
    EXPECT_EQ(made.issuer, key.public_key());
    EXPECT_EQ(made.audience, key.public_key());
    EXPECT_EQ(made.labels, (decltype(made.labels){{"origin", "unsigned"}, {"peer", origin.peer}}));
    EXPECT_TRUE(sign(made, key));
    Policy policy;
    policy.submitters = {key.public_key()};
    EXPECT_TRUE(admits(policy, made));
    job.function.clear();
    EXPECT_EQ(invocation().spec.handler, "_start");
}

TEST_F(UnsignedInvocation, IsTheSameJobForEachProcessAndAnotherForEachMessage) {
    const Cid first = sign(invocation(), key)->cid;
    EXPECT_EQ(sign(invocation(), key)->cid, first);
    origin.seqno.back() = 8;
    EXPECT_NE(sign(invocation(), key)->cid, first);
    origin.seqno.back() = 7;
    origin.peer.back() = 'q';
    EXPECT_NE(sign(invocation(), key)->cid, first);
}

TEST_F(UnsignedInvocation, NeedsANumber) {
    origin.seqno.clear();
    const Result<Invocation> made = invocation_of(job, origin, key.public_key());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Errc::refused);
}

} // namespace
} // namespace ic::job
