#!/usr/bin/env python3
"""What an idle worker costs: time from its start to its "ready", and memory of it and its children
once they are up (proportional set size: shared pages are divided among those who share them).
Beside it: an idle /bin/cat, and what the program's file takes, whole and stripped.
Run: bench/run idle_worker"""

import os
import pathlib
import subprocess
import tempfile
import time

ROUNDS = 10
SETTLE_S = 1.5
PROGRAM = os.environ["IC_PROGRAM"]


def pss_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise SystemExit(f"no memory figure for process {pid}")


def family(pid):
    """The process and all that descend from it. A child is listed under the thread that made it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def sample(what, unit, value):
    print(f"{what}\t{unit}\t{value:.3f}")


def measure(home):
    environment = dict(os.environ, IPFS_COMPUTE_PATH=home, IPFS_PATH=f"{home}/no-kubo")
    began = time.monotonic()
    with subprocess.Popen([PROGRAM, "worker"], env=environment, stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as worker:
        while "ready" not in (line := worker.stderr.readline()):
            if not line:
                raise SystemExit("the worker ended before it was ready")
        sample("start to ready", "ms", (time.monotonic() - began) * 1000)
        with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as cat:
            time.sleep(SETTLE_S)
            pids = family(worker.pid)
            each = [pss_kib(pid) / 1024 for pid in pids]
            sample(f"idle worker with {len(pids) - 1} children, PSS", "MiB", sum(each))
            sample("of it the worker itself", "MiB", each[0])
            sample("idle /bin/cat, PSS", "MiB", pss_kib(cat.pid) / 1024)
            cat.stdin.close()
        worker.terminate()


def measure_file(folder):
    stripped = f"{folder}/stripped"
    subprocess.run(["strip", "-o", stripped, PROGRAM], check=True)
    sample("program, stripped", "MiB", os.path.getsize(stripped) / 2**20)
    sample("program, with debug information", "MiB", os.path.getsize(PROGRAM) / 2**20)


def main():
    with tempfile.TemporaryDirectory(prefix="ic-bench-") as folder:
        measure_file(folder)
        for _ in range(ROUNDS):
            measure(f"{folder}/home")


if __name__ == "__main__":
    main()
