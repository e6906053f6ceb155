#!/usr/bin/env python3
"""Reading from a warm store: `cat`, `get` and `ls`, beside Kubo 0.43 (its daemon, offline, on this
machine) and beside the hash alone. Needs 4 GiB of disk. Run: bench/run reading"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "kubo"))
from rpc import Kubo  # noqa: E402

LARGE_BYTES = 1 << 30
WIDE_ENTRIES = 10_000
ROUNDS = 5


def seconds(words, environment=None, output=None):
    """To the end, with its output in `output` (a file) or nowhere."""
    began = time.perf_counter()
    subprocess.run(words, env=environment, check=True, stdin=subprocess.DEVNULL,
                   stdout=output or subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def sample(what, unit, value):
    print(f"{what}\t{unit}\t{value}", flush=True)


def hash_seconds(bytes_in_all):
    """SHA-256 by OpenSSL in pieces of 1 MiB, on one processor."""
    piece = os.urandom(1 << 20)
    began = time.perf_counter()
    for _ in range(bytes_in_all >> 20):
        hashlib.sha256(piece).digest()
    return time.perf_counter() - began


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.program = os.environ["IC_PROGRAM"]
        found = subprocess.run([ROOT / "tools" / "kubo"], stdout=subprocess.PIPE, text=True,
                               check=True)
        (folder / "kubo").mkdir()
        self.kubo = Kubo(found.stdout.strip(), folder / "kubo")
        self.environment = dict(os.environ, IPFS_COMPUTE_PATH=str(folder / "home"),
                                IPFS_COMPUTE_KUBO="off")

    def ours(self, *words):
        return [self.program, *words], self.environment

    def theirs(self, *words):
        return [self.kubo.program, *words], self.kubo.environment

    def add(self, path):
        cids = []
        for words, environment in (self.ours("add", "-r", "-Q", path),
                                   self.theirs("add", "-r", "-Q", "--pin=false", path)):
            done = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
            cids.append(done.stdout.strip())
        assert cids[0] == cids[1], cids
        return cids[0]

    def rate(self, what, ours, theirs, before=lambda: None):
        for round_ in range(-1, ROUNDS):
            for name, (words, environment) in (("ipfs-compute", ours), ("Kubo", theirs)):
                before()
                took = seconds(words, environment)
                if round_ >= 0:
                    sample(f"{what}, {name}", "MiB/s", LARGE_BYTES / took / 2**20)

    def run(self):
        large = self.folder / "large"
        with open(large, "wb") as out:
            for _ in range(LARGE_BYTES >> 20):
                out.write(os.urandom(1 << 20))
        wide = self.folder / "wide"
        wide.mkdir()
        for index in range(WIDE_ENTRIES):
            (wide / f"entry {index} of a directory that is sharded").write_bytes(b"%d" % index)
        file, directory = self.add(large), self.add(wide)
        for _ in range(ROUNDS):
            took = hash_seconds(LARGE_BYTES)
            sample("SHA-256 alone, one processor", "MiB/s", LARGE_BYTES / took / 2**20)
        self.rate("cat of 1 GiB to nowhere", self.ours("cat", file), self.theirs("cat", file))

        def piped(side):
            words, environment = side
            quoted = " ".join(words)
            return ["/bin/sh", "-c", f"{quoted} | cat > /dev/null"], environment

        self.rate("cat of 1 GiB through a pipe",
                  piped(self.ours("cat", file)), piped(self.theirs("cat", file)))
        place = self.folder / "saved"
        self.rate("get of 1 GiB", self.ours("get", file, "-o", str(place)),
                  self.theirs("get", file, "-o", str(place)),
                  before=lambda: place.unlink(missing_ok=True))
        for round_ in range(-1, ROUNDS):
            for name, (words, environment) in (("ipfs-compute", self.ours("ls", directory)),
                                               ("Kubo", self.theirs("ls", directory))):
                took = seconds(words, environment)
                if round_ >= 0:
                    sample(f"ls of {WIDE_ENTRIES} entries, sharded, {name}", "ms", took * 1000)


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ic-bench-reading-"))
    bench = None
    try:
        bench = Bench(folder)
        bench.run()
    finally:
        if bench:
            bench.kubo.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
