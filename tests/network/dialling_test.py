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
    worker.await_word(worker.start_worker("--slots", "1"), "listening to other nodes")
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


if __name__ == "__main__":
    hosts_module.play("dialling", 2, check)
