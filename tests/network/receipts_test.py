#!/usr/bin/env python3
"""Receipts that whoever knows their CIDs finds with plain `ipfs`: three hosts. The
worker of a job and its reader are each connected with the submitter alone, and neither trusts the
other.

    receipts_test.py PROGRAM TOOLS_KUBO
"""

import json
import subprocess
import time

import hosts as hosts_module


def say(*words):
    print(*words, flush=True)


def until(condition, what, seconds=120):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise SystemExit(f"not within {seconds} s: {what}")


def asked(host, *words):
    """What that Kubo answers; nothing if it fails."""
    try:
        return host.ipfs(*words)
    except subprocess.CalledProcessError:
        return b""


def submit(host, module, *words):
    done = host.compute("submit", "--ipfs", "kubo", "--json", "--handler", "handler",
                        "--wasm-cid", module, *words)
    return json.loads(done.stdout.decode().splitlines()[-1])


def provided_by(reader, cid, peer):
    providers = asked(reader, "routing", "findprovs", "--timeout=5s", cid).decode().split()
    return peer in providers


def check(submitter, worker, reader):
    module = submitter.ipfs("add", "-q", "--cid-version=1",
                            input=hosts_module.echo_module()).decode().strip()
    answer = submit(submitter, module, "--", "found later")
    receipt, job = answer["receipt"], answer["job"]
    cid = receipt["cid"]
    described = json.loads(submitter.compute("job", "describe", "--json", job).stdout)
    assert described["receipt"]["cid"] == cid, described["receipt"]

    # Elsewhere, by its CID alone: who has it is asked of the network.
    until(lambda: provided_by(reader, cid, worker.peer), "the receipt is provided")
    until(lambda: provided_by(reader, job, worker.peer), "the job is provided")
    block = reader.ipfs("block", "get", "--timeout=60s", cid)
    read = json.loads(reader.ipfs("dag", "get", "--timeout=60s", cid))
    payload = read[1]["ipfs-compute/receipt@1"]
    assert payload["job"] == {"/": job}, payload
    assert payload["iss"] == worker.did() == receipt["worker"], payload
    assert reader.ipfs("cat", "--timeout=60s", payload["output"]["/"]) == b"found later\n"
    invocation = json.loads(reader.ipfs("dag", "get", "--timeout=60s", payload["job"]["/"]))
    assert invocation[1]["ucan/inv@1.0.0"]["args"]["module"] == {"/": module}, invocation

    # The same bytes have the same CID wherever they are put.
    again = submitter.ipfs("block", "put", "--cid-codec=dag-cbor", input=block).decode().strip()
    assert again == cid, (again, cid)
    put = submitter.ipfs("dag", "put", "--input-codec=dag-cbor", input=block).decode().strip()
    assert put == cid, (put, cid)

    # Kept under a pin with a name to find it by; Kubo collects as before, though what a receipt
    # links to is not all there.
    pins = worker.ipfs("pin", "ls", "--names", "--type=recursive").decode()
    assert "ipfs-compute-receipt" in pins, pins
    worker.ipfs("repo", "gc", "-q")
    for kept in (cid, job):
        assert worker.has_block(kept), "a collection took it"

    # Shown anywhere: its signature checked, its worker not trusted there.
    shown = json.loads(reader.compute("job", "receipt", "--json", cid).stdout)
    assert shown.pop("trusted") is False and shown == receipt, shown
    say("a receipt of", worker.name, "was read at", reader.name, "by its CID", cid)


def check_failed(submitter, worker, reader):
    """A run without any results has a receipt too."""
    module = submitter.ipfs("add", "-q", "--cid-version=1",
                            input=b"\0asm\x01\0\0\0").decode().strip()
    done = submitter.compute("submit", "--ipfs", "kubo", "--json", "--handler", "absent",
                             "--wasm-cid", module, check=False)
    receipt = json.loads(done.stdout.decode().splitlines()[-1])["receipt"]
    assert receipt["ending"]["error"] == "handler-missing" and not receipt["output"], receipt
    until(lambda: provided_by(reader, receipt["cid"], worker.peer), "that receipt is provided")
    read = json.loads(reader.ipfs("dag", "get", "--timeout=60s", receipt["cid"]))
    assert read[1]["ipfs-compute/receipt@1"]["job"] == {"/": receipt["job"]}, read


def check_the_last(submitter, worker, reader):
    """A worker that is told to end hands on what waits."""
    module = submitter.ipfs("add", "-q", "--cid-version=1",
                            input=hosts_module.echo_module(rounds=1)).decode().strip()
    answer = submit(submitter, module, "--", "the last")
    worker.workers[0].terminate()
    assert worker.workers[0].wait(60) == 0, worker.logs()
    assert worker.has_block(answer["receipt"]["cid"]), worker.logs()


def play(submitter, worker, reader):
    for one, other in ((submitter, worker), (worker, submitter)):
        one.compute("trust", "add", other.did())
    submitter.connect(worker)
    reader.connect(submitter)
    worker.await_word(worker.start_worker("--slots", "1"), "listening to other nodes")
    check(submitter, worker, reader)
    check_failed(submitter, worker, reader)
    check_the_last(submitter, worker, reader)


if __name__ == "__main__":
    hosts_module.play("receipts", 3, play)
