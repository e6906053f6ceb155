#!/usr/bin/env python3
"""Jobs over several hosts: each with a Kubo and a worker, connected by Kubo's pubsub.

    network_test.py PROGRAM TOOLS_KUBO [HOSTS] [JOBS]

Laws: each job has one receipt and one execution by the executors' own record; results can be read
with plain `ipfs cat` on another host, whose Kubo never heard of ipfs-compute; hosts that are
connected in a line only (A-B-C) run each other's jobs; each knows the workers of all; a job runs
where its constraints say, and where most of what it needs is.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import sys
import tempfile
import time

import hosts as hosts_module


def say(*words):
    print(*words, flush=True)


def start(network, count, line):
    """Hosts that are ready; their Kubos connected in a line, or all with the first."""
    made = [network.add_host() for _ in range(count)]
    for host in made:
        host.start_kubo()
    for host in made:
        host.await_kubo()
    network.trust_each_other()
    for left, right in zip(made, made[1:]):
        (right if line else made[0]).connect(left if line else right)
    for host in made:
        host.await_word(host.start_worker("--slots", "2", "--label", "host=" + host.name),
                        "listening to other nodes")
    return made


def submit(host, module, number):
    done = host.compute("submit", "--ipfs", "kubo", "--handler", "handler", "--wasm-cid", module,
                        "--json", "--", f"job-{number}", check=False)
    if done.returncode != 0:
        raise SystemExit(f"job {number}: status {done.returncode}: {done.stderr.decode()}\n"
                         f"{done.stdout.decode()}")
    return [json.loads(line) for line in done.stdout.decode().splitlines()][-1]


def check_executions(made, jobs):
    starts = collections.Counter()
    places = collections.Counter()
    for host in made:
        for line in host.executions():
            words = line.split()
            if words[0] == "start":
                starts[words[1]] += 1
                places[host.name] += 1
    assert len(starts) == jobs, f"{len(starts)} jobs were run, not {jobs}"
    twice = [job for job, count in starts.items() if count != 1]
    assert not twice, f"run more than once: {twice[:5]}"
    return dict(places)


def check_jobs(made, jobs):
    origin = made[0]
    module = origin.ipfs("add", "-q", "--cid-version=1",
                         input=hosts_module.echo_module()).decode().strip()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: submit(origin, module, number), range(jobs)))
    receipts = {answer["receipt"]["cid"] for answer in answers}
    assert len(receipts) == jobs, f"{len(receipts)} receipts of {jobs} jobs"
    say("executions by host:", check_executions(made, jobs))
    for number in range(0, jobs, max(1, jobs // 20)):
        reader = made[1 + number % (len(made) - 1)]
        output = answers[number]["receipt"]["output"]
        read = reader.ipfs("cat", output, timeout=60)
        assert read == f"job-{number}\n".encode(), (number, output, read)


def check_handed_on(made):
    """What a job needs and only its submitter has: a module, what it imports, an event."""
    origin, reader = made[0], made[1]
    files = dict(zip(("main", "lib"), hosts_module.linked_modules()), event=b"event " * 100)
    cids = {}
    for name, content in files.items():
        (origin.folder / name).write_bytes(content)
        cids[name] = origin.compute("add", "-Q", origin.folder / name).stdout.decode().strip()
    for _ in range(2):  # The second time Kubo has it all.
        origin.compute("submit", "--ipfs", "kubo", "--wasm-cid", cids["main"], "--handler",
                       "handler", "--import", "lib=" + cids["lib"], "--event",
                       origin.folder / "event", "--nonce", "random")
        for name, content in files.items():
            assert reader.ipfs("cat", cids[name], timeout=60) == content, name


def check_workers(made):
    """Each host hears of every worker, and of its labels."""
    wanted = {(host.did(), host.name) for host in made}
    for host in made:
        until = time.monotonic() + 120
        while True:
            rows = [json.loads(line) for line in
                    host.compute("worker", "list", "--json").stdout.decode().splitlines()]
            # A worker is heard of before the packet that says where it can be reached.
            if ({(row["did"], row["labels"].get("host")) for row in rows} == wanted
                    and all(row["addresses"] for row in rows if row["did"] != host.did())):
                break
            assert time.monotonic() < until, (host.name, rows)
            time.sleep(0.5)
        for row in rows:
            assert row["trusted"] and row["slots"] == 2, row
            own = row["did"] == host.did()
            assert row["via"] in (["local"] if own else ["link", "topic"]), row


def runner_of(host, *flags):
    """The name of the host that ran a job of these flags."""
    done = host.compute("submit", "--ipfs", "kubo", "--handler", "handler", "--nonce", "random",
                        "--json", *flags, "--", "one")
    worker = json.loads(done.stdout.decode().splitlines()[-1])["receipt"]["worker"]
    return next(each.name for each in host.network.hosts if each.did() == worker)


def check_constraints(made):
    (made[0].folder / "echo").write_bytes(hosts_module.echo_module())
    module = made[0].folder / "echo"
    for host in made:
        ran = runner_of(made[0], "--wasm-file", module, "--constraint", "host=" + host.name)
        assert ran == host.name, (ran, host.name)


def check_locality(made):
    """Of two hosts one has the input. A bid may be late on a busy machine: then the other one runs
    the job; but not all the time."""
    origin, reader = made[0], made[1]
    (origin.folder / "data").write_bytes(os.urandom(16 << 20))
    data = origin.compute("add", "-Q", origin.folder / "data").stdout.decode().strip()
    flags = ["--wasm-file", origin.folder / "echo", "--input", "data=" + data,
             "--constraint", "host!=" + origin.name]
    runner_of(origin, *flags)  # Hands the input on to Kubo.
    reader.compute("cat", data)
    ran = []
    while ran[-6:] != [reader.name] * 6:
        assert len(ran) < 60, ran
        ran.append(runner_of(origin, *flags))
    say("of", len(ran), "jobs", ran.count(reader.name), "ran where their input is")


def main():
    program, tools_kubo, *numbers = sys.argv[1:]
    count, jobs = [int(number) for number in numbers] or (3, 60)
    kubo_program = hosts_module.kubo_or_skip(tools_kubo)
    for line in (False, True):
        with tempfile.TemporaryDirectory(prefix="ic-network-") as folder:
            network = hosts_module.Network(program, kubo_program, folder)
            try:
                made = start(network, count, line)
                say(f"{count} hosts,", "in a line" if line else "all with the first")
                check_workers(made)
                check_jobs(made, jobs)
                check_handed_on(made)
                if not line:
                    check_constraints(made)
                    check_locality(made)
            except BaseException:
                for host in network.hosts:
                    say(f"--- {host.name}\n{host.logs()[-3000:]}")
                raise
            finally:
                network.end()
    say("all held")


if __name__ == "__main__":
    main()
