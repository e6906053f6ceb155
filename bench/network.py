#!/usr/bin/env python3
"""From `submit` to the result over two machines, each with a Kubo: network namespaces on a switch.
Beside it, in turns: a message that the other machine sends back, over the same two Kubos. Then
jobs offered all at once. Needs root, and Kubo (tools/kubo).
Run: bench/run network"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "network"))
import hosts as hosts_module  # noqa: E402

API = "/ip4/127.0.0.1/tcp/5001"
ROUNDS = 200
BURST = 5000
PROBE = ROOT / "build" / "release" / "bench" / "bench_network_probe"


def start(network):
    here, there = network.add_host(), network.add_host()
    for host in (here, there):
        host.start_kubo()
    for host in (here, there):
        host.await_kubo()
    here.connect(there)
    network.trust_each_other()
    worker = there.start_worker("--slots", "2")
    there.await_word(worker, "listening to other nodes")
    return here, there, worker


def memory_mib(pid):
    """The most that the process has had."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no memory figure for process {pid}")


def main():
    why_not = hosts_module.Network.why_not()
    if why_not:
        raise SystemExit("cannot be measured here: " + why_not)
    kubo = subprocess.run([ROOT / "tools" / "kubo"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()
    subprocess.run([ROOT / "tools" / "build", "release", "bench_network_probe"], check=True,
                   stdout=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="ic-bench-") as folder:
        network = hosts_module.Network(os.environ["IC_PROGRAM"], kubo, folder)
        echo = None
        try:
            here, there, worker = start(network)
            module = here.ipfs("add", "-q", "--cid-version=1",
                               input=hosts_module.echo_module()).decode().strip()
            echo = subprocess.Popen(there.command(PROBE, "echo", API), stdout=subprocess.DEVNULL)
            time.sleep(1)
            for words in (("measure", here.home, API, module, ROUNDS),
                          ("burst", here.home, API, module, BURST)):
                subprocess.run(here.command(PROBE, *words), env=here.environment, check=True,
                               stderr=subprocess.DEVNULL)
            print(f"memory of the worker at its most\tMiB\t{memory_mib(worker.pid):.1f}")
        finally:
            if echo:
                echo.kill()
            network.end()


if __name__ == "__main__":
    main()
