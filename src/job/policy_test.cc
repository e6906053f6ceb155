#include "job/policy.h"
#include "job/testing/samples.h"

#include <gtest/gtest.h>

namespace ic::job {
namespace {

Policy open_policy() {
    Policy policy;
    policy.submitters = {testing::sample_key(9).public_key(), testing::sample_key(1).public_key()};
    policy.hosts = {"example.org", "example.org:8443"};
    return policy;
}

void expect_refused(const Policy& policy,
                    const Invocation& invocation,
                    std::initializer_list<std::string_view> words) {
    const Result<void> answer = admits(policy, invocation);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::refused);
    for (const std::string_view word : words) {
        EXPECT_NE(answer.error().message.find(word), std::string::npos)
            << word << " is not in: " << answer.error().message;
    }
}

TEST(Policy, AdmitsAJobWithinItsMaxima) {
    const Result<void> answer = admits(open_policy(), testing::sample_invocation());
    EXPECT_TRUE(answer) << answer.error().message;
}

TEST(Policy, DefaultLetsNobodyInAndSaysHowToTrust) {
    const Invocation invocation = testing::sample_invocation();
    expect_refused(Policy{}, invocation, {"sub", "trust add " + invocation.issuer.to_did()});
}

TEST(Policy, RefusesOnePastEachMaximumNamingBothValues) {
    const auto with = [](std::uint64_t Limits::* member, std::string_view key) {
        Policy policy = open_policy();
        Invocation invocation = testing::sample_invocation();
        policy.maxima.*member = 50'000;
        invocation.spec.limits.*member = 50'000;
        EXPECT_TRUE(admits(policy, invocation)) << key;
        invocation.spec.limits.*member = 50'001;
        expect_refused(policy, invocation, {key, "50001", "50000"});
    };
    with(&Limits::module_bytes_max, "--module-size");
    with(&Limits::compile_ms_max, "--compile-timeout");
    with(&Limits::compile_memory_bytes_max, "--compile-memory");
    with(&Limits::memory_bytes_max, "--memory");
    with(&Limits::table_elements_max, "--table-elements");
    with(&Limits::wall_ms_max, "--timeout");
    with(&Limits::fuel_max, "--fuel");
    with(&Limits::output_bytes_max, "--output-size");
    with(&Limits::log_bytes_max, "--log-size");
    with(&Limits::add_bytes_max, "--add-size");
    with(&Limits::host_calls_max, "--host-calls");
    with(&Limits::curls_max, "--curls");
    Policy policy = open_policy();
    Invocation invocation = testing::sample_invocation();
    invocation.spec.limits.handles_max = policy.maxima.handles_max + 1;
    expect_refused(policy, invocation, {"limits.handles", "65", "64", "--handles"});
}

TEST(Policy, ReadsZeroOfProcessorTimeAsTheWallTime) {
    Policy policy = open_policy();
    Invocation invocation = testing::sample_invocation();
    policy.maxima.cpu_ms_max = 1'000;
    expect_refused(policy, invocation, {"limits.cpu_ms", "60000", "1000"});
    invocation.spec.limits.cpu_ms_max = 1'000;
    EXPECT_TRUE(admits(policy, invocation));
}

TEST(Policy, RefusesToRunUnmeteredWhereFuelIsBounded) {
    Policy policy = open_policy();
    policy.maxima.fuel_max = 10;
    expect_refused(policy, testing::sample_invocation(), {"limits.fuel", "unmetered", "10"});
}

TEST(Policy, RefusesImpureJobsWhereOnlyPureOnesRun) {
    Policy policy = open_policy();
    policy.allow_impure = false;
    expect_refused(policy, testing::sample_invocation(), {"effects", "--impure"});
}

TEST(Policy, RefusesHostsThatItDoesNotList) {
    Invocation invocation = testing::sample_invocation();
    Policy policy = open_policy();
    policy.hosts = {};
    expect_refused(policy, invocation, {"'example.org'", "none", "--allow-host example.org"});
    policy.hosts = {"example.org:8443"};
    expect_refused(policy, invocation, {"'example.org'"});
    policy.hosts = {"*"};
    EXPECT_TRUE(admits(policy, invocation));
    policy.hosts = {"example.org"};
    invocation.spec.allow_hosts = {"example.org.evil"};
    expect_refused(policy, invocation, {"example.org.evil"});
    invocation.spec.allow_hosts = {"example.org:8443"};
    expect_refused(policy, invocation, {"--allow-host example.org:8443"});
}

} // namespace
} // namespace ic::job
