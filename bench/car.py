#!/usr/bin/env python3
"""CARs out of a store and into one: `dag export` to a pipe, `dag import` from a file, beside Kubo
(where tools/kubo has built it) and beside `openssl speed` of SHA-256, which every block needs once.
The file is 1 GiB in blocks of 1 MiB. MiB/s of its content; each import goes into a new home.
Run: bench/run car"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

ROUNDS = 5
MIB = 1024
PROGRAM = os.environ["IC_PROGRAM"]


def sample(what, value):
    print(f"{what}\tMiB/s\t{value:.1f}", flush=True)


class Store:
    """One program with a home of its own."""

    def __init__(self, program, home, variable):
        self.program, self.home = program, home
        self.environment = dict(os.environ, IPFS_PATH=f"{home}/none")
        self.environment[variable] = str(home)
        if variable == "IPFS_PATH":
            self.run("init", "--profile=test,unixfs-v1-2025", "--empty-repo")

    def run(self, *words, **how):
        how = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **how}
        return subprocess.run([self.program, *words], env=self.environment, check=True, **how)

    def drain(self, *words):
        """Runs it and throws away what it prints, as a reader at the other end of a pipe."""
        process = subprocess.Popen([self.program, *words], env=self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        buffer = bytearray(1 << 20)
        size = 0
        while count := process.stdout.readinto(buffer):
            size += count
        assert process.wait() == 0 and size > MIB << 20

    def timed(self, call):
        began = time.monotonic()
        call()
        return MIB / (time.monotonic() - began)


def sha_speed():
    command = ["openssl", "speed", "-seconds", "1", "-bytes", "1048576", "-evp", "sha256"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    text = done.stdout
    return float(re.search(r"([0-9.]+)k\s*$", text).group(1)) * 1000 / (1 << 20)


def main():
    built = subprocess.run(["tools/kubo", "--if-built"], stdout=subprocess.PIPE, text=True)
    kinds = [("ipfs-compute", PROGRAM, "IPFS_COMPUTE_PATH")]
    if built.returncode == 0:
        kinds.append(("kubo", built.stdout.strip(), "IPFS_PATH"))
    with tempfile.TemporaryDirectory(prefix="ic-bench-car-") as folder:
        folder = pathlib.Path(folder)
        content = folder / "content"
        with open(content, "wb") as file:
            for _ in range(MIB // 16):
                file.write(os.urandom(16 << 20))
        stores = {}
        for name, program, variable in kinds:
            (folder / name).mkdir()
            stores[name] = Store(program, folder / name, variable)
            out = stores[name].run("add", "-Q", str(content), stdout=subprocess.PIPE).stdout
            cid = out.decode().strip()
        content.unlink()
        car = folder / "dag.car"
        with open(car, "wb") as file:
            stores["ipfs-compute"].run("dag", "export", cid, stdout=file)
        for _ in range(ROUNDS):
            for name, program, variable in kinds:
                sample(f"export, {name}", stores[name].timed(
                    lambda: stores[name].drain("dag", "export", cid)))
            for name, program, variable in kinds:
                home = folder / "new"
                home.mkdir()
                store = Store(program, home, variable)
                sample(f"import, {name}", store.timed(lambda: store.run("dag", "import", str(car))))
                shutil.rmtree(home)
            sample("SHA-256, one core, openssl speed", sha_speed())


if __name__ == "__main__":
    main()
