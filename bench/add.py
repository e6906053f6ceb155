#!/usr/bin/env python3
"""`add` of a large file and of 10,000 small ones, on one core and on all, beside Kubo's `add`
(where tools/kubo --if-built finds one) and SHA-256 alone. Each round begins with empty stores.

Environment: IC_BENCH_MIB (1024), IC_BENCH_ROUNDS (5), IC_BENCH_MEMORY_MIB (4096, 0: not measured),
TMPDIR: a folder on the disk to measure.
"""

import hashlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("IC_PROGRAM", str(ROOT / "build" / "release" / "ipfs-compute"))
MIB = 1 << 20
LARGE_MIB = int(os.environ.get("IC_BENCH_MIB", "1024"))
MEMORY_MIB = int(os.environ.get("IC_BENCH_MEMORY_MIB", "4096"))
ROUNDS = int(os.environ.get("IC_BENCH_ROUNDS", "5"))
SMALL_FILES = 10_000


def sample(what, unit, value):
    print(f"{what}\t{unit}\t{value:.6g}", flush=True)


def write_noise(path, mib, seed):
    """Content without two equal blocks, from a keystream that costs little."""
    block = bytearray(random.Random(seed).randbytes(MIB))
    with open(path, "wb") as file:
        for number in range(mib):
            block[:8] = number.to_bytes(8, "little")
            file.write(block)


def write_small_files(folder):
    numbers = random.Random(7)
    for index in range(SMALL_FILES):
        place = folder / str(index % 100)
        place.mkdir(exist_ok=True)
        (place / f"{index}.txt").write_bytes(numbers.randbytes(numbers.randrange(100, 4000)))


def one_core(words):
    return ["taskset", "-c", "0", *words]


class Ours:
    name = "ipfs-compute add"

    def __init__(self, folder):
        self.home = folder / "ours"

    def reset(self):
        shutil.rmtree(self.home, ignore_errors=True)
        self.environment = dict(os.environ, IPFS_COMPUTE_PATH=str(self.home))
        subprocess.run([PROGRAM, "init"], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def add(self, *words):
        return [PROGRAM, "add", "-Q", *words]


class Kubo:
    name = "Kubo add"

    def __init__(self, folder, program):
        self.home = folder / "kubo"
        self.program = program

    def reset(self):
        shutil.rmtree(self.home, ignore_errors=True)
        self.environment = dict(os.environ, IPFS_PATH=str(self.home))
        subprocess.run([self.program, "init", "--profile=test,unixfs-v1-2025"],
                       env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def add(self, *words):
        return [self.program, "add", "-Q", *words]


def seconds(subject, words):
    subject.reset()
    os.sync()
    began = time.monotonic()
    done = subprocess.run(words, env=subject.environment, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return time.monotonic() - began, done.stdout


def hash_rate():
    block = bytes(MIB)
    began = time.monotonic()
    for _ in range(512):
        hashlib.sha256(block).digest()
    return 512 / (time.monotonic() - began)


def anonymous_peak_mib(subject, words):
    """The most memory that no file stands behind, looked at every 5 ms."""
    subject.reset()
    process = subprocess.Popen(words, env=subject.environment, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            for line in open(f"/proc/{process.pid}/status", encoding="ascii"):
                if line.startswith("RssAnon:"):
                    peak = max(peak, int(line.split()[1]))
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.005)
    if process.returncode != 0:
        raise SystemExit(f"{words} ended with {process.returncode}")
    return peak / 1024


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ic-bench-add-"))
    try:
        measure(folder)
    finally:
        shutil.rmtree(folder)


def measure(folder):
    large, small = folder / "large", folder / "small"
    write_noise(large, LARGE_MIB, 1)
    small.mkdir()
    write_small_files(small)
    subjects = [Ours(folder)]
    kubo = subprocess.run([ROOT / "tools" / "kubo", "--if-built"], stdout=subprocess.PIPE,
                          text=True, check=False)
    if kubo.returncode == 0:
        subjects.append(Kubo(folder, kubo.stdout.strip()))
    else:
        print("no Kubo here: tools/kubo builds one", file=sys.stderr)
    for round_number in range(-1, ROUNDS):
        cids = set()
        rows = [("SHA-256 alone, one core", "MiB/s", hash_rate())]
        for subject in subjects:
            for cores, how in (("one core", one_core), ("all cores", list)):
                took, cid = seconds(subject, how(subject.add(str(large))))
                cids.add(cid)
                rows.append((f"{subject.name}, a large file, {cores}", "MiB/s", LARGE_MIB / took))
            took, _ = seconds(subject, subject.add("-r", str(small)))
            rows.append((f"{subject.name} -r, 10,000 small files", "s", took))
        took, _ = seconds(subjects[0], subjects[0].add("-n", str(large)))
        rows.append(("ipfs-compute add -n, a large file, all cores", "MiB/s", LARGE_MIB / took))
        if len(cids) != 1:
            raise SystemExit(f"different CIDs: {cids}")
        for row in rows if round_number >= 0 else []:
            sample(*row)
    if MEMORY_MIB:
        write_noise(large, MEMORY_MIB, 2)
        sample(f"ipfs-compute add, {MEMORY_MIB} MiB, memory without file-backed pages", "MiB",
               anonymous_peak_mib(subjects[0], subjects[0].add(str(large))))


if __name__ == "__main__":
    main()
