"""Hosts on a network: a network namespace each, on one switch, with a Kubo daemon and workers."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77


def leb(number):
    """Unsigned LEB128."""
    out = bytearray()
    while True:
        byte = number & 0x7F
        number >>= 7
        out.append(byte | (0x80 if number else 0))
        if not number:
            return bytes(out)


def signed_leb(number):
    out = bytearray()
    while True:
        byte = number & 0x7F
        number >>= 7
        done = number == -(byte >> 6 & 1)
        out.append(byte | (0 if done else 0x80))
        if done:
            return bytes(out)


def echo_module(sleep_ms=0, rounds=0, handler="handler"):
    """A module whose handler sleeps (if its job has effects: other clocks only move on), counts
    to `rounds`, then prints its last argument and a line's end."""
    def section(number, content):
        return bytes([number]) + leb(len(content)) + content

    def vector(items):
        return leb(len(items)) + b"".join(items)

    def text(word):
        return leb(len(word)) + word.encode()

    def const(number):
        return b"\x41" + signed_leb(number)

    i32 = b"\x7f"
    count, size, pointers, text_at, vector_at, written = 16, 20, 1024, 4096, 32, 48
    types = vector([b"\x60" + vector([i32] * count) + vector([i32]) for count in (2, 4)]
                   + [b"\x60" + vector([]) + vector([])])
    wasi = text("wasi_snapshot_preview1")
    imports = vector([wasi + text("args_sizes_get") + b"\x00\x00",
                      wasi + text("args_get") + b"\x00\x00",
                      wasi + text("fd_write") + b"\x00\x01",
                      wasi + text("poll_oneoff") + b"\x00\x01"])
    load, store, drop = b"\x28\x02\x00", b"\x36\x02\x00", b"\x1a"
    # To the monotonic clock, for so long: bytes 16 and 24 of a subscription.
    subscription, event = 128, 256
    sleep = (const(subscription) + const(1) + b"\x36\x02\x10"
             + const(subscription) + b"\x42" + signed_leb(sleep_ms * 1_000_000) + b"\x37\x03\x18"
             + const(subscription) + const(event) + const(1) + const(written) + b"\x10\x03" + drop)
    last = (const(pointers) + const(count) + load + const(1) + b"\x6b" + const(2) + b"\x74"
            + b"\x6a" + load)  # *(pointers + 4 * (count - 1))
    counting = (b"\x03\x40\x20\x00" + const(1) + b"\x6a\x22\x00" + const(rounds)
                + b"\x49\x0d\x00\x0b")
    body = ((sleep if sleep_ms else b"") + (counting if rounds else b"")
            + const(count) + const(size) + b"\x10\x00" + drop
            + const(pointers) + const(text_at) + b"\x10\x01" + drop
            + const(vector_at) + last + store
            # The text's end, without its zero, less where the last argument begins.
            + const(vector_at + 4) + const(text_at - 1) + const(size) + load + b"\x6a"
            + const(vector_at) + load + b"\x6b" + store
            + const(vector_at + 8) + const(8) + store
            + const(vector_at + 12) + const(1) + store
            + const(1) + const(vector_at) + const(2) + const(written) + b"\x10\x02" + drop
            + b"\x0b")
    function = vector([b"\x01" + i32]) + body
    code = vector([leb(len(function)) + function])
    return (b"\0asm\x01\0\0\0" + section(1, types) + section(2, imports)
            + section(3, vector([b"\x02"])) + section(5, vector([b"\x00\x01"]))
            + section(7, vector([text(handler) + b"\x00\x04", text("memory") + b"\x02\x00"]))
            + section(10, code)
            + section(11, vector([b"\x00" + const(8) + b"\x0b" + leb(1) + b"\n"])))


def linked_modules():
    """A module whose `handler` calls `f` of the module that it imports as `lib`, and that one."""
    head, nothing = b"\0asm\x01\0\0\0", b"\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00"
    main = (head + b"\x01\x04\x01\x60\x00\x00" + b"\x02\x09\x01\x03lib\x01f\x00\x00"
            + b"\x03\x02\x01\x00" + b"\x07\x0b\x01\x07handler\x00\x01"
            + b"\x0a\x06\x01\x04\x00\x10\x00\x0b")
    return main, head + nothing + b"\x07\x05\x01\x01f\x00\x00" + b"\x0a\x04\x01\x02\x00\x0b"


def quietly(*words, **more):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          **more)


class Network:
    """A switch in a namespace of its own. Goes with `end`, and all its hosts with it."""

    def __init__(self, program, kubo, folder):
        self.program = str(program)
        self.kubo = str(kubo)
        self.folder = pathlib.Path(folder)
        self.name = f"ic{os.getpid()}"
        self.hosts = []
        self.namespaces = []
        self.add_namespace(self.name)
        for switch in ("switch", "switch2"):
            self.inside(self.name, "ip", "link", "add", switch, "type", "bridge")
            self.inside(self.name, "ip", "link", "set", switch, "up")

    @staticmethod
    def why_not():
        """Why there can be no network here; None if there can."""
        if os.geteuid() != 0:
            return "needs root for network namespaces; run it as root"
        if not shutil.which("ip"):
            return "needs the program `ip`; tools/install --tests installs it (iproute2)"
        name = f"ic-try-{os.getpid()}"
        made = subprocess.run(["ip", "netns", "add", name], stderr=subprocess.PIPE, text=True)
        if made.returncode != 0:
            return "no network namespaces here: " + made.stderr.strip()
        subprocess.run(["ip", "netns", "delete", name], check=True)
        return None

    def add_namespace(self, name):
        quietly("ip", "netns", "add", name)
        self.namespaces.append(name)
        self.inside(name, "ip", "link", "set", "lo", "up")

    @staticmethod
    def inside(name, *words, **more):
        return quietly("ip", "netns", "exec", name, *words, **more)

    def add_host(self):
        host = Host(self, len(self.hosts) + 1)
        self.hosts.append(host)
        return host

    def trust_each_other(self):
        for host in self.hosts:
            for other in self.hosts:
                if other is not host:
                    host.compute("trust", "add", other.did(), "--name", other.name)

    def split(self, hosts):
        """From now on these reach each other alone, and so do the rest; nobody's cable is out."""
        for host in self.hosts:
            self.inside(self.name, "ip", "link", "set", host.cable, "master",
                        "switch2" if host in hosts else "switch")

    def end(self):
        for host in self.hosts:
            host.end()
        for name in reversed(self.namespaces):
            subprocess.run(["ip", "netns", "delete", name], check=False)


class Cables:
    """Bad ones between the hosts of a network and its switch, until `end`; see weather.py."""

    def __init__(self, network, **weather):
        self.network = network
        self.lines = []
        for host in network.hosts:
            line, port = f"l{host.cable[1:]}", f"p{host.cable[1:]}"
            self.inside("link", "add", line, "type", "veth", "peer", "name", port)
            self.inside("link", "set", host.cable, "nomaster")
            self.inside("link", "set", port, "master", "switch")
            for device in (line, port):
                self.inside("link", "set", device, "up")
            self.lines += [host.cable, line]
        self.carrier = subprocess.Popen(
            ["ip", "netns", "exec", network.name, sys.executable,
             pathlib.Path(__file__).with_name("weather.py"), json.dumps(weather), *self.lines],
            stdout=subprocess.PIPE, text=True)
        assert self.carrier.stdout.readline() == "ready\n"

    def inside(self, *words):
        self.network.inside(self.network.name, "ip", *words)

    def end(self):
        """What met the frames."""
        self.carrier.terminate()
        counts = json.loads(self.carrier.communicate()[0])
        for cable, line in zip(self.lines[::2], self.lines[1::2]):
            self.inside("link", "delete", line)
            self.inside("link", "set", cable, "master", "switch")
        return counts


class Host:
    def __init__(self, network, number):
        self.network = network
        self.number = number
        self.name = f"host{number}"
        self.space = f"{network.name}-{number}"
        self.address = f"10.77.0.{number}"
        self.folder = network.folder / self.name
        self.home = self.folder / "compute"
        self.records = []
        self.begin_record("record")
        self.folder.mkdir()
        self.environment = dict(os.environ, HOME=str(self.folder),
                                IPFS_PATH=str(self.folder / "ipfs"),
                                IPFS_COMPUTE_PATH=str(self.home))
        self.daemon = None
        self.workers = []
        network.add_namespace(self.space)
        cable, end = f"c{os.getpid() % 100000}-{number}", "eth0"
        network.inside(network.name, "ip", "link", "add", cable, "type", "veth", "peer", "name",
                       end, "netns", self.space)
        network.inside(network.name, "ip", "link", "set", cable, "master", "switch", "up")
        self.cable = cable
        network.inside(self.space, "ip", "address", "add", self.address + "/24", "dev", end)
        network.inside(self.space, "ip", "link", "set", end, "up")

    def command(self, *words):
        return ["ip", "netns", "exec", self.space, *map(str, words)]

    def plug(self, is_in):
        """The cable to the switch."""
        self.network.inside(self.network.name, "ip", "link", "set", self.cable,
                            "up" if is_in else "down")

    # --- Kubo ---

    def ipfs(self, *words, input=b"", timeout=60):
        return subprocess.run(self.command(self.network.kubo, *words), env=self.environment,
                              input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=True, timeout=timeout).stdout

    def start_kubo(self, streams=False):
        if not (self.folder / "ipfs").exists():
            version = self.ipfs("version", "-n")  # 0.39 has it under another name.
            profile = "test-cid-v1" if version < b"0.40" else "unixfs-v1-2025"
            self.ipfs("init", "--profile=test," + profile)
            self.ipfs("bootstrap", "rm", "--all")
            for key, value in (
                ("Addresses.API", "/ip4/127.0.0.1/tcp/5001"),
                ("Addresses.Gateway", "/ip4/127.0.0.1/tcp/8080"),
                ("Addresses.Swarm", [f"/ip4/{self.address}/tcp/4001"]),
                ("Discovery.MDNS.Enabled", False),
                ("AutoConf.Enabled", False),
                ("AutoTLS.Enabled", False),
                ("Experimental.Libp2pStreamMounting", streams),
            ):
                self.ipfs("config", "--json", key, json.dumps(value))
        self.log = open(self.folder / "kubo.log", "ab")
        self.daemon = subprocess.Popen(
            self.command(self.network.kubo, "daemon", "--enable-pubsub-experiment"),
            env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log,
            stderr=subprocess.STDOUT)

    def await_kubo(self):
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self.daemon.poll() is not None:
                raise SystemExit("a Kubo ended: " + open(self.log.name).read()[-2000:])
            try:
                # By its address: else `ipfs` takes the repository's lock itself where a daemon
                # that was killed has left its file `api`, and the one that starts meets it there.
                api = "--api=/ip4/127.0.0.1/tcp/5001"
                self.peer = json.loads(self.ipfs(api, "id"))["ID"]
                self.ipfs(api, "swarm", "peers")
                return
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                pass
            time.sleep(0.1)
        raise SystemExit("a Kubo is not ready after 90 s")

    def connect(self, other):
        self.ipfs("swarm", "connect", f"/ip4/{other.address}/tcp/4001/p2p/{other.peer}")

    def has_block(self, cid):
        try:
            return cid.encode() in self.ipfs("block", "stat", "--offline", cid)
        except subprocess.CalledProcessError:
            return False

    def end_kubo(self, by=signal.SIGKILL):
        if self.daemon:
            self.daemon.send_signal(by)
            self.daemon.wait()
            self.daemon = None

    # --- ipfs-compute ---

    def start_compute(self, *words, **more):
        return subprocess.Popen(self.command(self.network.program, *words), env=self.environment,
                                stdin=subprocess.DEVNULL, **more)

    def compute(self, *words, timeout=120, check=True):
        done = subprocess.run(self.command(self.network.program, *words), env=self.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout)
        if check and done.returncode != 0:
            raise SystemExit(f"{self.name}: {' '.join(map(str, words))}: status "
                             f"{done.returncode}\n{done.stderr.decode()}")
        return done

    def did(self):
        return json.loads(self.compute("id", "--json").stdout)["did"]

    def start_worker(self, *words):
        log = open(self.folder / f"worker{len(self.workers)}.log", "ab")
        worker = self.start_compute("worker", "--ipfs", "kubo", "--execution-record", self.record,
                                    *words, stdout=log, stderr=subprocess.STDOUT,
                                    start_new_session=True)  # So that it can be stopped whole.
        worker.log_name = log.name
        self.workers.append(worker)
        return worker

    def await_word(self, worker, word, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if word in open(worker.log_name, errors="replace").read():
                return
            if worker.poll() is not None:
                break
            time.sleep(0.02)
        raise SystemExit(f"{self.name}: no '{word}' in its log:\n"
                         + open(worker.log_name, errors="replace").read()[-2000:])

    def logs(self):
        return "".join(open(worker.log_name, errors="replace").read() for worker in self.workers)

    def begin_record(self, name, right=lambda instant: instant):
        """What workers record from now on; `right` puts instants of their boot clock right."""
        self.record = self.folder / name
        self.records.append((self.record, right))

    def executions(self):
        """Lines of the executors' own records."""
        lines = []
        for record, right in self.records:
            for line in record.read_text().splitlines() if record.exists() else []:
                *words, instant = line.split()
                lines.append(" ".join((*words, str(right(int(instant))))))
        return lines

    def end(self):
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
        self.end_kubo()


def kubo_or_skip(tools_kubo):
    """The program; ends this one with SKIPPED, and says why, where there can be no such network."""
    why_not = Network.why_not()
    built = subprocess.run([tools_kubo, "--if-built"], stdout=subprocess.PIPE, text=True)
    if not why_not and built.returncode != 0:
        why_not = "Kubo is not built; tools/kubo builds it"
    if why_not:
        print("skipped:", why_not, flush=True)
        sys.exit(SKIPPED)
    return built.stdout.strip()


def play(what, count, check):
    """`check(*hosts)` with so many hosts whose Kubos are there, for PROGRAM TOOLS_KUBO."""
    program, tools_kubo = sys.argv[1:]
    kubo = kubo_or_skip(tools_kubo)
    with tempfile.TemporaryDirectory(prefix=f"ic-{what}-") as folder:
        network = Network(program, kubo, folder)
        try:
            hosts = [network.add_host() for _ in range(count)]
            for host in hosts:
                host.start_kubo()
            for host in hosts:
                host.await_kubo()
            check(*hosts)
        finally:
            network.end()
    print("all held", flush=True)
