"""Unsigned jobs, as the first ipfs-compute published them, over three Kubos that are connected: of
a peer that policy names they run, once, though two workers hear them; of another one they do not.

Usage: unsigned_test.py IPFS_COMPUTE TOOLS_KUBO. Ends with status 77 (skipped) where Kubo is not
built.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import rpc

TOPIC = "ipfs-compute"
WITHIN_S = 90  # A bound on liveness alone.


def section(number, content):
    return bytes([number, len(content)]) + content


# Exports `greet`, which prints "ran" and a line's end.
MODULE = (b"\0asm\x01\0\0\0"
          + section(1, b"\x02\x60\x04\x7f\x7f\x7f\x7f\x01\x7f\x60\x00\x00")
          + section(2, b"\x01\x16wasi_snapshot_preview1\x08fd_write\x00\x00")
          + section(3, b"\x01\x01")
          + section(5, b"\x01\x00\x01")
          + section(7, b"\x02\x05greet\x00\x01\x06memory\x02\x00")
          + section(10, b"\x01\x0d\x00\x41\x01\x41\x00\x41\x01\x41\x20\x10\x00\x1a\x0b")
          + section(11, b"\x01\x00\x41\x00\x0b\x14" + b"\x10\0\0\0\x04\0\0\0" + b"\0" * 8
                    + b"ran\n"))


def free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def until(condition, what):
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f"not within {WITHIN_S} s: {what}")


class Scene:
    def __init__(self, program, kubo, folder):
        self.program, self.folder = program, folder
        self.kubos, self.workers, self.ids = [], [], []
        for name in ("ours", "named", "stranger"):
            home = folder / name
            home.mkdir()
            swarm = [f"/ip4/127.0.0.1/tcp/{free_port()}"]
            self.kubos.append(rpc.Kubo(kubo, home, flags=(), settings=[
                ("Pubsub.Enabled", True), ("Routing.Type", "dht"), ("Addresses.Swarm", swarm)]))
            self.ids.append(json.loads(self.kubos[-1].call("id"))["ID"])
        for other in self.kubos[1:]:
            address = json.loads(self.kubos[0].call("id"))["Addresses"][0]
            other.run("swarm", "connect", address)
        self.environment = dict(os.environ, HOME=str(folder),
                                IPFS_COMPUTE_PATH=str(folder / "home"),
                                IPFS_COMPUTE_POLICY_UNSIGNED_PEERS=self.ids[1])

    def start_worker(self):
        log = self.folder / f"worker{len(self.workers)}.log"
        worker = subprocess.Popen(
            [self.program, "worker", "--slots", "1", "--ipfs",
             f"kubo:http://127.0.0.1:{self.kubos[0].port}", "--set",
             "network.listen=127.0.0.1:0", "--execution-record", self.folder / "record"],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(log, "wb"))
        worker.log = log
        self.workers.append(worker)
        return worker

    def publish(self, who, message):
        text = message if isinstance(message, str) else json.dumps(message)
        self.kubos[who].run("pubsub", "pub", TOPIC, input=text.encode())

    def logs(self):
        return "".join(worker.log.read_text(errors="replace") for worker in self.workers)

    def starts(self):
        record = self.folder / "record"
        lines = record.read_text().splitlines() if record.exists() else []
        return [line.split()[1] for line in lines if line.startswith("start ")]

    def labels(self):
        ledger = self.folder / "home" / "ledger.db"
        with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, timeout=30) as opened:
            return opened.execute("SELECT j.job, l.name, l.value FROM jobs j JOIN labels l "
                                  "USING (seq) ORDER BY 1, 2").fetchall()

    def end(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        for kubo in self.kubos:
            kubo.end()


def play(scene):
    ours, named, stranger = scene.ids
    module = scene.kubos[1].run("add", "-q", "--cid-version=1", input=MODULE).decode().strip()
    job = {"Version": "1.0", "Type": "wasm", "Docker": {"Image": "", "Cmd": ""},
           "AwsLambda": {"ZipFileCid": "", "Runtime": "", "Handler": "", "Event": ""},
           "Wasm": {"WasmFileCid": module, "Function": "greet"}}
    for _ in range(2):
        scene.start_worker()
    listening = "listening for unsigned jobs, of Kubo peers that are named: 1"
    until(lambda: scene.logs().count(listening) == 2, "both workers listen")
    topic = "pubsub/peers?arg=u" + "aXBmcy1jb21wdXRl"  # TOPIC in base64url.
    until(lambda: all(ours in json.loads(kubo.call(topic))["Strings"]
                      for kubo in scene.kubos[1:]), "the others see that our Kubo listens")

    # Of a stranger: no run, and one line in each worker's log.
    for _ in range(3):
        scene.publish(2, job)
    refused = f"unsigned jobs of Kubo peer {stranger} are refused"
    until(lambda: scene.logs().count(refused) >= 2, "the stranger is refused")

    # Of the one that is named, with what no worker runs first.
    scene.publish(1, dict(job, Type="docker"))
    scene.publish(1, "{")
    until(lambda: scene.logs().count(f"unsigned job of Kubo peer {named} is not taken") >= 4,
          "what is no such job is named")
    assert scene.starts() == [], scene.starts()
    ended = re.compile(r"job (\S+) of Kubo peer (\S+) ended: exit status 0, output (\S+)")
    for count in (1, 2):  # The same words again are another message, and another job.
        scene.publish(1, job)
        until(lambda: len(ended.findall(scene.logs())) >= count, f"job {count} ends")
    assert scene.logs().count("is accepted for Kubo peer") == 2, "each told of by one process"
    ends = ended.findall(scene.logs())
    assert {peer for _, peer, _ in ends} == {named}, ends
    assert len(ends) == len({job for job, _, _ in ends}) == 2, ends
    assert sorted(scene.starts()) == sorted(job for job, _, _ in ends), (scene.starts(), ends)
    assert scene.logs().count(refused) == 2, "said once in each process"
    labels = {(name, value) for _, name, value in scene.labels()}
    assert labels == {("origin", "unsigned"), ("peer", named)}, labels

    # What it wrote is pinned at our Kubo, and can be read by way of the others.
    output = ends[0][2]
    pins = json.loads(scene.kubos[0].call(f"pin/ls?arg={output}"))["Keys"]
    assert pins[output]["Type"] == "recursive", pins
    assert scene.kubos[2].run("cat", output) == b"ran\n"


def main():
    program, tools_kubo = sys.argv[1:]
    kubo = rpc.built(tools_kubo)
    if not kubo:
        return rpc.SKIPPED
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ic-unsigned-"))
    scene = None
    try:
        scene = Scene(program, kubo, folder)
        play(scene)
        print("all held")
        return 0
    except BaseException:
        if scene:
            print(scene.logs())
        raise
    finally:
        if scene:
            scene.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
