"""What a job needs and only another Kubo has: how many requests it takes, what becomes of faults.

Two Kubos, connected over loopback; modules and inputs are added to the far one, and jobs run beside
the near one, whose API and gateway are counted on the way.

Usage: fetching_test.py IPFS_COMPUTE TOOLS_KUBO. Ends with status 77 (skipped) where Kubo is not
built.
"""

import http.client
import http.server
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import rpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "network"))
import hosts as hosts_module  # noqa: E402

SEED = 61
#: A block that neither of them has.
ABSENT = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"
ABSENT_DAG = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"


def free_port():
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


class Front:
    """Stands before a port, and notes what is asked for. `change` may make another body of one."""

    def __init__(self, port):
        self.port, self.change, self.asked = port, lambda path, body: body, []
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def answer(self):
                front.asked.append(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                inner = http.client.HTTPConnection("127.0.0.1", front.port, timeout=120)
                headers = {name: value for name, value in self.headers.items()
                           if name.lower() in ("accept", "content-type", "authorization")}
                try:
                    inner.request(self.command, self.path, body, headers)
                    answer = inner.getresponse()
                    content = front.change(self.path, answer.read())
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    pass  # Whoever asked has left.
                finally:
                    inner.close()

            do_GET = do_POST = answer

            def log_message(self, *_words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def count(self, word):
        return sum(word in path for path in self.asked)


class Fetching:
    def __init__(self, program, kubo, folder):
        self.program, self.folder = program, folder
        self.source = random.Random(SEED)
        self.checks = self.wrong = self.homes = self.modules = 0
        self.kubos = []
        ports = [free_port() for _ in range(4)]
        for index, name in enumerate(("near", "far")):
            home = folder / name
            home.mkdir()
            self.kubos.append(rpc.Kubo(kubo, home, flags=(), settings=[
                ("Addresses.Swarm", [f"/ip4/127.0.0.1/tcp/{ports[index]}"]),
                ("Addresses.Gateway", f"/ip4/127.0.0.1/tcp/{ports[2 + index]}"),
                ("Routing.Type", "none")]))
        self.near, self.far = self.kubos
        peer = json.loads(self.far.call("id"))["ID"]
        self.near.call(f"swarm/connect?arg=/ip4/127.0.0.1/tcp/{ports[1]}/p2p/{peer}")
        self.gateway_port = ports[2]

    def check(self, holds, what):
        self.checks += 1
        if not holds:
            self.wrong += 1
            print("wrong:", what)

    def add(self, content, chunk=65_536):
        """To the far Kubo, in small blocks."""
        query = f"add?pin=false&progress=false&cid-version=1&raw-leaves=true&chunker=size-{chunk}"
        return json.loads(self.far.upload(query, [("f", content)]).splitlines()[-1])["Hash"]

    def module(self, padding):
        """One that nobody has seen before: with a custom section of so many bytes."""
        self.modules += 1
        section = b"\x03pad" + self.source.randbytes(padding)
        module = (hosts_module.echo_module(rounds=self.modules)
                  + b"\0" + hosts_module.leb(len(section)) + section)
        return self.add(module)

    def blocks_of(self, cid):
        refs = self.far.call(f"refs?arg={cid}&recursive=true&unique=true")
        return 1 + len(refs.splitlines())

    def run(self, module, *words, gateway=None, api=None):
        """In a home of its own. What ended, and the fronts of API and gateway."""
        self.homes += 1
        home = self.folder / f"home{self.homes}"
        environment = dict(os.environ, IPFS_COMPUTE_PATH=str(home))
        api = api or Front(self.near.port)
        gateway = gateway or Front(self.gateway_port)
        began = time.monotonic()
        done = subprocess.run(
            [self.program, "run", "--wasm-cid", module, "--handler", "handler",
             "--set", f"kubo={api.url()}", "--set", f"kubo_gateway={gateway.url()}", *words,
             "--", "ran"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=120)
        done.took = time.monotonic() - began
        done.home = environment
        return done, api, gateway

    def has(self, done, cid):
        """Whether the block is in that home, asking nobody."""
        return subprocess.run([self.program, "block", "stat", cid, "--set", "kubo=off"],
                              env=done.home, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE).returncode == 0

    # ---- Whole DAGs

    def one_by_one(self, cid):
        """How long a DAG takes block by block: what it was before."""
        began = time.monotonic()
        for ref in [cid, *self.far.call(f"refs?arg={cid}&recursive=true").decode().splitlines()]:
            self.near.call("block/get?arg=" + (json.loads(ref)["Ref"] if "{" in ref else ref))
        return time.monotonic() - began

    def whole(self):
        module = self.module(3_000_000)
        blocks = self.blocks_of(module)
        done, api, gateway = self.run(module)
        self.check(done.returncode == 0 and done.stdout == b"ran\n", done.stderr)
        self.check(blocks > 40, f"{blocks} blocks")
        self.check(len(gateway.asked) == 1 and not api.asked,
                   f"a module of {blocks} blocks took {gateway.asked} {api.asked}")
        other = self.module(3_000_000)
        print(f"a module of {blocks} blocks that another Kubo has: 1 request instead of {blocks}; "
              f"the whole `run` {done.took:.2f} s, its blocks one by one alone "
              f"{self.one_by_one(other):.2f} s")

    def by_the_api(self):
        module = self.module(1_000_000)
        gone = Front(free_port())
        gone.server.shutdown()
        gone.server.server_close()
        done, api, _ = self.run(module, gateway=gone)
        self.check(done.returncode == 0 and done.stdout == b"ran\n", done.stderr)
        self.check(api.count("dag/export") == 1 and api.count("block/get") == 0, api.asked)

    def inputs(self):
        small = self.add(self.source.randbytes(4_000_000), 262_144)
        large = self.add(self.source.randbytes(40_000_000), 1 << 20)
        module = self.module(10)
        last = [self.far.call(f"refs?arg={cid}").decode().splitlines()[-1]
                for cid in (small, large)]
        last = [json.loads(line)["Ref"] if "{" in line else line for line in last]
        done, api, gateway = self.run(module, "--input", f"small={small}",
                                      "--input", f"large={large}")
        self.check(done.returncode == 0, done.stderr)
        self.check(self.has(done, small) and self.has(done, last[0]), "a small input comes whole")
        self.check(self.has(done, large) and not self.has(done, last[1]),
                   "of a large input the root comes, and what is read")
        self.check(gateway.count("dag-scope=all") == 2, gateway.asked)

    # ---- Faults

    def faults(self):
        def half(_path, body):
            return body[:len(body) // 2]

        def damaged(_path, body):
            return body[:-1] + bytes([body[-1] ^ 1])

        def page(_path, _body):
            return b"<!doctype html><html>" + b"Sign in to use this network. " * 20

        for change in (half, damaged, page):
            gateway = Front(self.gateway_port)
            gateway.change = change
            done, api, _ = self.run(self.module(1_000_000), gateway=gateway)
            self.check(done.returncode == 0 and done.stdout == b"ran\n",
                       (change.__name__, done.stderr))
            self.check(gateway.asked and api.asked, (change.__name__, gateway.asked, api.asked))
            self.check((b"is not asked any more" in done.stderr) == (change is not half),
                       (change.__name__, done.stderr))

    def nobody(self):
        """Within its own timeout, by a name that lets others try."""
        for cid, what in ((ABSENT, "a block"), (ABSENT_DAG, "a DAG")):
            done, _, _ = self.run(cid, "--fetch-timeout", "2s", "--json")
            self.check(done.returncode == 124 and b"cid-unavailable" in done.stdout + done.stderr,
                       (what, done.returncode, done.stdout, done.stderr))
            self.check(cid.encode() in done.stderr + done.stdout, (what, done.stderr))
            # Kubo would search for ever; the default is 30 s a block.
            self.check(done.took < 25, f"{what}: {done.took:.1f} s")
        done, _, _ = self.run(self.module(10), "--fetch-timeout", "2s", "--input",
                              f"corpus={ABSENT}")
        self.check(done.returncode == 124 and b"input corpus" in done.stderr, done.stderr)


def main():
    program, tools_kubo = sys.argv[1:]
    found = rpc.built(tools_kubo)
    if not found:
        return rpc.SKIPPED
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ic-fetching-"))
    fetching = None
    try:
        fetching = Fetching(program, found, folder)
        fetching.whole()
        fetching.by_the_api()
        fetching.inputs()
        fetching.faults()
        fetching.nobody()
    finally:
        for kubo in fetching.kubos if fetching else []:
            kubo.end()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{fetching.checks} checks beside two Kubos, {fetching.wrong} wrong")
    return 1 if fetching.wrong or fetching.checks < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
