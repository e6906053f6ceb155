"""The contract of transports over two real Kubos that are connected.

Usage: transport_test.py IC_TRANSPORT_KUBO_TEST TOOLS_KUBO. Ends with status 77 (skipped) where Kubo
is not built.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

import rpc


def free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


def main():
    program, tools_kubo = sys.argv[1:]
    kubo = rpc.built(tools_kubo)
    if not kubo:
        return rpc.SKIPPED
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ic-transport-"))
    kubos = []
    try:
        for name in ("one", "two"):
            (folder / name).mkdir()
            kubos.append(rpc.Kubo(kubo, folder / name, flags=(), settings=[
                ("Pubsub.Enabled", True), ("Routing.Type", "none"),
                ("Addresses.Swarm", [f"/ip4/127.0.0.1/tcp/{free_port()}"])]))
        address = json.loads(kubos[0].call("id"))["Addresses"][0]
        kubos[1].run("swarm", "connect", address)
        apis = " ".join(f"http://127.0.0.1:{each.port}" for each in kubos)
        done = subprocess.run([program, "--gtest_filter=Kubo/*"], stdout=subprocess.PIPE,
                              env=dict(os.environ, IC_TEST_KUBO_APIS=apis), text=True)
        print(done.stdout)
        # None at all would be a mistake of the filter.
        return done.returncode if "] Kubo/" in done.stdout else 1
    finally:
        for each in kubos:
            each.end()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
