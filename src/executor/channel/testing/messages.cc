#include "executor/channel/testing/messages.h"

namespace ic::executor::channel::testing {

std::vector<Message> one_of_each() {
    const Cid module = cid_of(Codec::raw, bytes_of("module"));
    const Cid event = cid_of(Codec::dag_pb, bytes_of("event"));
    Task task;
    task.lease = {.job = cid_of(Codec::dag_cbor, bytes_of("job")),
                  .epoch = {.incarnation = 3, .n = 4}};
    task.spec.module = module;
    task.spec.handler = "handler";
    task.spec.arguments = {"1", "two"};
    task.spec.environment = {{"A", "b"}};
    task.spec.event = event;
    task.spec.inputs = {{"corpus", event}};
    task.spec.allow_hosts = {"example.org"};
    task.spec.effects = job::Effects::impure;
    task.seed.fill(7);
    const job::Ending ending{.error = Errc::trap_memory,
                             .message = "out of bounds",
                             .exit_status = -1,
                             .value = std::int64_t{-5}};
    const job::Usage usage{.fetch_us = 1,
                           .compile_us = 2,
                           .run_us = 3,
                           .publish_us = 4,
                           .cpu_us = 5,
                           .fuel = 6,
                           .memory_bytes_peak = 7,
                           .bytes_read = 8,
                           .bytes_added = 9,
                           .host_calls = 10};
    return {
        Hello{.slot = 1, .record = true, .walls = WallSet::all()},
        Load{.module = 2},
        Drop{.module = 3},
        Start{.run = 4, .module = 5, .task = task},
        Reply{.sequence = 6,
              .error = Errc::cid_unavailable,
              .message = "nobody has it",
              .number = 7,
              .window_bytes = 8,
              .cid = event},
        Ready{.slot = 9},
        NotLoaded{.run = 10, .code = Errc::unsupported, .message = "another engine's"},
        GetBlock{.sequence = 11, .cid = event},
        AddWrite{.sequence = 12, .adder = 13, .bytes = 14, .last = true},
        AddDrop{.adder = 15},
        CurlOpen{.sequence = 16, .bytes = 17},
        CurlRead{.sequence = 18, .body = 19, .bytes_max = 20},
        CurlClose{.body = 21},
        Log{.lines = copy_of(bytes_of("a line\n"))},
        Output{.stream = job::Stream::errors, .data = {1, 2, 3}},
        Finished{.run = 22, .ending = ending, .usage = usage, .output = {4}, .errors = {5, 6}},
        Compile{.limits = {}},
        Compiled{.artifact_bytes = 23},
        CompileFailed{.code = Errc::module_invalid, .message = "no magic"},
        Debug{.debugging = {.trace = true, .coredump = false, .profile = true}},
        Trace{.lines = copy_of(bytes_of("{}\n"))},
        DumpPiece{.kind = Dump::profile, .data = {7, 8}},
        Imports{.imports = {{"math", module}}, .modules = {24}},
    };
}

} // namespace ic::executor::channel::testing
