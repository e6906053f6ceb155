#!/usr/bin/env python3
"""Two hosts whose Kubos know nothing of each other: no connection, no routing, no pubsub between
them. What a job names is at one, its worker beside the other: the addresses in the job are all
there is to find it by, and those in the receipt to find the result.

    dialling_test.py PROGRAM TOOLS_KUBO

Both hosts use one home (its bus is a folder), so that the job itself needs no network.
"""

import json
import os
import subprocess
import sys
import tempfile

import hosts as hosts_module


def say(*words):
    print(*words, flush=True)


def peers_of(host):
    return host.ipfs("swarm", "peers").decode().split()


def finds(host, cid):
    """Whether that Kubo can get the block without our help."""
    try:
        return bool(host.ipfs("block", "get", "--timeout=3s", cid))
    except subprocess.CalledProcessError:
        return False


def submit(submitter, worker, *words):
    environment = dict(submitter.environment, IPFS_COMPUTE_PATH=str(worker.home))
    done = subprocess.run(
        submitter.command(submitter.network.program, "submit", "--ipfs", "kubo", "--json", *words),
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=120)
    assert done.returncode == 0, (done.stderr.decode(), worker.logs())
    return json.loads(done.stdout.decode().splitlines()[-1])


def check(submitter, worker):
    padding = os.urandom(700_000)
    section = b"\x03pad" + padding
    module = hosts_module.echo_module() + b"\0" + hosts_module.leb(len(section)) + section
    cid = submitter.ipfs("add", "-q", "--cid-version=1", "--chunker=size-65536",
                         input=module).decode().strip()
    assert not peers_of(submitter) and not peers_of(worker), "they are connected already"
    assert not finds(worker, cid), "this shows nothing"
    answer = submit(submitter, worker, "--handler", "handler", "--wasm-cid", cid, "--", "dialled")
    assert answer["stdout"] == "dialled\n", answer
    assert any(submitter.peer in peer for peer in peers_of(worker)), peers_of(worker)

    receipt = answer["receipt"]
    assert receipt["providers"], receipt
    for address in receipt["providers"]:
        assert address.endswith("/p2p/" + worker.peer) and worker.address in address, address
    submitter.ipfs("swarm", "disconnect", "/p2p/" + worker.peer)
    submitter.ipfs("swarm", "connect", receipt["providers"][0])
    assert submitter.ipfs("cat", receipt["output"], timeout=30) == b"dialled\n"
    say("the job was found by", submitter.address, "alone, its result by", receipt["providers"])


def main():
    program, tools_kubo = sys.argv[1:]
    why_not = hosts_module.Network.why_not()
    if why_not:
        say("skipped:", why_not)
        sys.exit(hosts_module.SKIPPED)
    built = subprocess.run([tools_kubo, "--if-built"], stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        say("skipped: Kubo is not built; tools/kubo builds it")
        sys.exit(hosts_module.SKIPPED)
    with tempfile.TemporaryDirectory(prefix="ic-dialling-") as folder:
        network = hosts_module.Network(program, built.stdout.strip(), folder)
        try:
            submitter, worker = network.add_host(), network.add_host()
            for host in network.hosts:
                host.start_kubo()
            for host in network.hosts:
                host.await_kubo()
            worker.await_word(worker.start_worker("--slots", "1"), "listening to other nodes")
            check(submitter, worker)
        finally:
            network.end()
    say("all held")


if __name__ == "__main__":
    main()
