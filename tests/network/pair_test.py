#!/usr/bin/env python3
"""Two hosts, each with a Kubo, paired by a code: each trusts the other and knows where the other's
Kubo is; a worker that runs meanwhile connects the two, and again when they were parted.

    pair_test.py PROGRAM TOOLS_KUBO
"""

import json
import subprocess
import time

import hosts as hosts_module

WITHIN_S = 120  # A bound on liveness alone.


def say(*words):
    print(*words, flush=True)


def until(condition, what):
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise SystemExit(f"not within {WITHIN_S} s: {what}")


def trusted(host):
    listed = host.compute("trust", "list", "--json").stdout.decode()
    return [json.loads(line) for line in listed.splitlines()]


def is_connected(host, other):
    return other.peer in host.ipfs("swarm", "peers").decode()


def pair(one, two):
    assert not is_connected(one, two), "they are connected already"
    showing = one.start_compute("pair", "--json", "--ipfs", "kubo", stdout=subprocess.PIPE)
    shown = json.loads(showing.stdout.readline())
    at = [url for url in shown["at"] if one.address in url]
    assert at, shown
    two.compute("pair", shown["code"], at[0], "--ipfs", "kubo")
    assert showing.wait(WITHIN_S) == 0
    for host, other in ((one, two), (two, one)):
        listed = trusted(host)
        assert [each["did"] for each in listed] == [other.did()], listed
        assert listed[0]["at"], "no address of a Kubo was taken"
        assert all(at.endswith("/p2p/" + other.peer) for at in listed[0]["at"]), listed


def pair_and_part(one, two):
    # It is there before they are paired, and not started anew.
    one.await_word(one.start_worker("--slots", "1"), "listening to other nodes")
    pair(one, two)
    until(lambda: is_connected(one, two), "the Kubos of paired machines are connected")
    say("paired, and the Kubos are connected")
    two.end_kubo()
    until(lambda: not is_connected(one, two), "one is gone")
    two.start_kubo()
    two.await_kubo()
    until(lambda: is_connected(one, two), "they are connected after a restart")
    say("connected again after a restart")


if __name__ == "__main__":
    hosts_module.play("pair", 2, pair_and_part)
