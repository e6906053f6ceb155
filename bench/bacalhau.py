#!/usr/bin/env python3
"""Beside Bacalhau, in turns: from submit to the result, jobs offered at once, the commands, what
1,000 jobs leave in memory, and how long after a worker's `kill -9` its job runs elsewhere. Each
system is in an empty network namespace of its own and runs the same modules; Bacalhau's check for
updates and its analytics are off. Needs root; tools/bacalhau builds Bacalhau.
Run: bench/run bacalhau"""

import base64
import concurrent.futures
import ctypes
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "network"))
import hosts as hosts_module  # noqa: E402

PROGRAM = os.environ["IC_PROGRAM"]
PROBE = ROOT / "build" / "release" / "bench" / "bench_bacalhau_probe"
ONE_AT_A_TIME = 50
BURSTS, BURST_JOBS, SUBMITTERS = 5, 200, 8
LARGE_BURSTS, LARGE_JOBS = 2, 50
COMMANDS = 10
FAIL_OVERS = 2
SLEEP_S = 20
CLONE_NEWNET = 0x40000000


def sample(what, unit, value):
    print(f"{what}\t{unit}\t{value:.4g}", flush=True)


# --- modules -------------------------------------------------------------------------------------


def with_names(module):
    """Bacalhau refuses modules without this section."""
    content = hosts_module.leb(4) + b"name" + b"\x00" + hosts_module.leb(5) + b"\x04noop"
    return module + b"\x00" + hosts_module.leb(len(content)) + content


def small_module():
    """`_start` returns at once; a page of memory, as WASI asks for."""
    return with_names(
        b"\0asm\x01\0\0\0" + b"\x01\x04\x01\x60\x00\x00" + b"\x03\x02\x01\x00"
        + b"\x05\x03\x01\x00\x01" + b"\x07\x13\x02\x06_start\x00\x00\x06memory\x02\x00"
        + b"\x0a\x04\x01\x02\x00\x0b")


def rust_module(folder):
    """`fn main() {}` for WASI: with all that Rust's start brings along."""
    (folder / "noop.rs").write_text("fn main() {}\n")
    made = subprocess.run(["rustc", "--edition=2021", "-O", "-C", "strip=debuginfo", "--target",
                           "wasm32-wasip1", "-o",
                           folder / "rust.wasm", folder / "noop.rs"], stderr=subprocess.PIPE)
    if made.returncode != 0:
        print("no Rust for wasm32-wasip1 here: without the larger module", file=sys.stderr)
        return None
    return (folder / "rust.wasm").read_bytes()


def sleeping_module():
    """`_start` sleeps; both run it as a job with effects, on the machine's clock."""
    return with_names(hosts_module.echo_module(sleep_ms=SLEEP_S * 1000, handler="_start"))


# --- processes -----------------------------------------------------------------------------------


class Space:
    """An empty network namespace."""

    def __init__(self, name):
        self.name = f"ic-bench-{os.getpid()}-{name}"
        hosts_module.quietly("ip", "netns", "add", self.name)
        hosts_module.quietly("ip", "-n", self.name, "link", "set", "lo", "up")

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *map(str, words)]

    def enter(self):
        """This thread, and those that it starts."""
        with open(f"/run/netns/{self.name}") as space:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(space.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    def end(self):
        subprocess.run(["ip", "netns", "delete", self.name], check=False)


def family(pid):
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def memory_mib(pid):
    """Of the process and all that descend from it; shared pages are divided among them."""
    total = 0
    for one in family(pid):
        for line in pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def await_that(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise SystemExit(f"not within {seconds} s: {what}")


# --- ours ----------------------------------------------------------------------------------------


class Ours:
    name = "ipfs-compute"

    def __init__(self, space, folder):
        self.space, self.folder = space, folder
        self.environment = dict(os.environ, IPFS_COMPUTE_KUBO="off")
        self.probe = subprocess.Popen(space.command(PROBE), env=self.environment, text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)
        home, worker = self.probe.stdout.readline().split()
        self.worker = int(worker)
        self.environment["IPFS_COMPUTE_PATH"] = home

    def compute(self, *words):
        return subprocess.run(self.space.command(PROGRAM, *words), env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=True)

    def add(self, module):
        (self.folder / "ours.wasm").write_bytes(module)
        return self.compute("add", "-Q", self.folder / "ours.wasm").stdout.strip()

    def ask(self, *words):
        self.probe.stdin.write(" ".join(map(str, words)) + "\n")
        return float(self.probe.stdout.readline()) / 1e6

    def one(self, module):
        return self.ask("one", module)

    def burst(self, module, count):
        return self.ask("burst", module, count)

    def command(self, module):
        began = time.monotonic()
        self.compute("submit", "--wasm-cid", module, "--nonce", "random")
        return time.monotonic() - began

    def memory(self):
        return memory_mib(self.worker)

    def end(self):
        self.probe.stdin.close()
        self.probe.wait()

    def fail_over(self, module):
        """Seconds from the kill to the next start, by the executors' own record."""
        # A home of its own: the job of a round before would go on in the old one.
        environment = dict(self.environment,
                           IPFS_COMPUTE_PATH=tempfile.mkdtemp(dir=self.folder, prefix="two-"))
        records = [self.folder / "record0", self.folder / "record1"]
        workers = []

        def starts():
            return [(index, int(line.split()[4])) for index, record in enumerate(records)
                    if record.exists()
                    for line in record.read_text().splitlines() if line.startswith("start")]

        try:
            for record in records:
                record.unlink(missing_ok=True)
                worker = subprocess.Popen(
                    self.space.command(PROGRAM, "worker", "--slots", "2", "--execution-record",
                                       record), env=environment, stdin=subprocess.DEVNULL,
                    stderr=subprocess.PIPE, text=True)
                workers.append(worker)
                while "ready" not in (line := worker.stderr.readline()):
                    if not line:
                        raise SystemExit("a worker ended before it was ready")
            (self.folder / "sleep.wasm").write_bytes(module)
            subprocess.run(self.space.command(
                PROGRAM, "submit", "--wasm-file", self.folder / "sleep.wasm", "--impure", "--nonce",
                "random", "--detach", "--", "x"), env=environment, check=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return from_kill_to_start(starts, workers)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()


def from_kill_to_start(starts, workers):
    """`starts`: each (which worker, when on the boot clock), as the executors recorded them."""
    index, _ = await_that(starts, 60, "the job's start")[0]
    time.sleep(2)
    killed = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    workers[index].kill()
    again = await_that(lambda: [instant for who, instant in starts() if who != index], 300,
                       "the job elsewhere")
    if again[0] < killed:
        raise SystemExit("another job than the killed worker's was running")
    return (again[0] - killed) / 1e9


def fail_over_of_machines(module, folder):
    """Ours with a machine each for both workers and whoever submits: nothing proves that the killed
    one is dead, its lease has to run out."""
    kubo = subprocess.run([ROOT / "tools" / "kubo"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()
    network = hosts_module.Network(PROGRAM, kubo, folder)
    submitter = None
    try:
        made = [network.add_host() for _ in range(3)]
        for host in made:
            host.start_kubo()
        for host in made:
            host.await_kubo()
        for host in made[1:]:
            host.connect(made[0])
        network.trust_each_other()
        workers = [host.start_worker("--slots", "2") for host in made[1:]]
        for host, worker in zip(made[1:], workers):
            host.await_word(worker, "listening to other nodes")

        def starts():
            return [(index, int(line.split()[4])) for index, host in enumerate(made[1:])
                    for line in host.executions() if line.startswith("start")]

        (made[0].folder / "sleep.wasm").write_bytes(module)
        submitter = made[0].start_compute(
            "submit", "--ipfs", "kubo", "--wasm-file", made[0].folder / "sleep.wasm", "--impure",
            "--nonce", "random", "--", "x", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return from_kill_to_start(starts, workers)
    finally:
        if submitter:
            submitter.kill()
            submitter.wait()
        network.end()


# --- Bacalhau ------------------------------------------------------------------------------------


class Bacalhau:
    name = "Bacalhau"

    def __init__(self, space, folder, program):
        self.space, self.folder, self.program = space, folder, program
        self.environment = dict(os.environ, HOME=str(folder), BACALHAU_DISABLEANALYTICS="true",
                                BACALHAU_UPDATECONFIG_INTERVAL="0s",
                                BACALHAU_DIR=str(folder / "client"))
        self.last = 0
        self.thread = threading.local()
        self.server = self.serve("one", 1234, "--orchestrator", "--compute")
        self.await_api()

    def serve(self, name, port, *roles):
        data = self.folder / name
        data.mkdir(exist_ok=True)
        with open(self.folder / f"{name}.log", "ab") as log:
            return subprocess.Popen(
                self.space.command(
                    self.program, "serve", *roles, "--data-dir", data, "--api-host", "127.0.0.1",
                    "--api-port", port, "-c", "Orchestrator.Host=127.0.0.1", "-c",
                    "Compute.Orchestrators=nats://127.0.0.1:4222", "-c", "WebUI.Enabled=false",
                    "-c", "DisableAnalytics=true", "-c", "UpdateConfig.Interval=0s", "-c",
                    "Logging.Level=warn"),
                env=dict(self.environment, BACALHAU_DIR=str(data)), stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT)

    def call(self, method, path, body=None):
        if not hasattr(self.thread, "connection"):
            self.thread.connection = http.client.HTTPConnection("127.0.0.1", 1234, timeout=60)
        connection = self.thread.connection
        try:
            connection.request(method, path, body and json.dumps(body),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            del self.thread.connection
            raise
        if answer.status != 200:
            raise SystemExit(f"Bacalhau: {method} {path}: {answer.status} {text[:500]}")
        return json.loads(text)

    def await_api(self, nodes=1):
        def ready():
            try:
                found = self.call("GET", "/api/v1/orchestrator/nodes").get("Nodes") or []
            except (OSError, http.client.HTTPException, SystemExit):
                return False
            up = [node for node in found
                  if node.get("ConnectionState", {}).get("Status", "CONNECTED") == "CONNECTED"
                  and node.get("Info", {}).get("NodeType") == "Compute"]
            return len(up) >= nodes
        await_that(ready, 90, f"{nodes} nodes of Bacalhau")

    def add(self, module):
        return "data:application/wasm;base64," + base64.b64encode(module).decode()

    def submit(self, module, *parameters):
        self.last += 1
        job = {"Name": f"job-{os.getpid()}-{self.last}-{threading.get_ident()}", "Type": "batch",
               "Count": 1, "Namespace": "default", "Tasks": [{
                   "Name": "main",
                   "Engine": {"Type": "wasm",
                              "Params": {"EntryModule": "/module.wasm", "Entrypoint": "_start",
                                         "Parameters": list(parameters)}},
                   "InputSources": [{"Target": "/module.wasm",
                                     "Source": {"Type": "inline", "Params": {"URL": module}}}],
                   "Resources": {"CPU": "50m", "Memory": "16Mb"}}]}
        return self.call("PUT", "/api/v1/orchestrator/jobs", {"Job": job})["JobID"]

    def state(self, job):
        path = f"/api/v1/orchestrator/jobs/{job}"
        try:
            return self.call("GET", path)["Job"]["State"]
        except http.client.RemoteDisconnected:  # A connection that was idle for long is closed.
            return self.call("GET", path)["Job"]["State"]

    def await_end(self, job):
        while True:
            state = self.state(job)
            if state["StateType"] == "Completed":
                return
            if state["StateType"] in ("Failed", "Stopped"):
                raise SystemExit(f"Bacalhau: a job failed: {state}")
            time.sleep(0.002)

    def one(self, module):
        began = time.monotonic()
        self.await_end(self.submit(module))
        return time.monotonic() - began

    def burst(self, module, count):
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(SUBMITTERS) as pool:
            jobs = list(pool.map(lambda _: self.submit(module), range(count)))
        for job in jobs:
            self.await_end(job)
        return time.monotonic() - began

    def command(self, _module):
        began = time.monotonic()
        subprocess.run(self.space.command(
            self.program, "wasm", "run", "--api-host", "127.0.0.1", self.folder / "command.wasm"),
            env=self.environment, check=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.monotonic() - began

    def memory(self):
        return memory_mib(self.server.pid)

    def end(self):
        self.server.kill()
        self.server.wait()

    def fail_over(self, module):
        """Seconds from the kill to another execution that runs."""
        shutil.rmtree(self.folder / "three", ignore_errors=True)
        nodes = [self.serve("three", 1234, "--orchestrator")]
        try:
            await_that(self.answers, 60, "Bacalhau")
            for number in (1, 2):
                shutil.rmtree(self.folder / f"compute{number}", ignore_errors=True)
                nodes.append(self.serve(f"compute{number}", 1234 + number, "--compute"))
            self.await_api(2)
            job = self.submit(self.add(module), "x")

            def runs():
                found = self.call("GET", f"/api/v1/orchestrator/jobs/{job}/executions")
                return [run for run in found.get("Items") or found.get("Executions") or []
                        if run["ComputeState"]["StateType"] in (5, "BidAccepted", "Running")]

            first = await_that(runs, 60, "the job's start")[0]
            time.sleep(2)
            by_name = {self.node_name(number): nodes[number] for number in (1, 2)}
            killed = time.monotonic()
            by_name[first["NodeID"]].kill()
            await_that(lambda: [run for run in runs() if run["NodeID"] != first["NodeID"]], 300,
                       "the job elsewhere")
            return time.monotonic() - killed
        finally:
            for node in nodes:
                node.kill()
                node.wait()

    def answers(self):
        try:
            return self.call("GET", "/api/v1/agent/alive")
        except (OSError, http.client.HTTPException, SystemExit):
            return None

    def node_name(self, number):
        connection = http.client.HTTPConnection("127.0.0.1", 1234 + number, timeout=10)
        connection.request("GET", "/api/v1/agent/node")
        return json.loads(connection.getresponse().read())["NodeID"]


# --- measuring -----------------------------------------------------------------------------------


def measure(systems, small, large):
    for system in systems:
        sample(f"memory idle, {system.name}", "MiB", system.memory())
    for label, module, bursts, jobs in ((f"{len(small)} bytes", small, BURSTS, BURST_JOBS),
                                        (f"{round(len(large or b'') / 1000)} kB", large,
                                         LARGE_BURSTS, LARGE_JOBS)):
        if module is None:
            continue
        added = [(system, system.add(module)) for system in systems]
        for system, name in added:
            for _ in range(5):
                system.one(name)
        for _ in range(ONE_AT_A_TIME):
            for system, name in added:
                sample(f"submit to result, {label}, {system.name}", "ms", 1000 * system.one(name))
        for _ in range(bursts):
            for system, name in added:
                sample(f"{jobs} jobs at once, {label}, {system.name}", "1/s",
                       jobs / system.burst(name, jobs))
        if module is small:
            for system, _ in added:
                sample(f"memory after {5 + ONE_AT_A_TIME + bursts * jobs} jobs, {system.name}",
                       "MiB", system.memory())
            for _ in range(COMMANDS):
                for system, name in added:
                    sample(f"command that submits and waits, {label}, {system.name}", "ms",
                           1000 * system.command(name))


def main():
    why_not = hosts_module.Network.why_not()
    if why_not:
        raise SystemExit("cannot be measured here: " + why_not)
    program = subprocess.run([ROOT / "tools" / "bacalhau"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.strip()
    subprocess.run([ROOT / "tools" / "build", "release", "bench_bacalhau_probe"], check=True,
                   stdout=sys.stderr)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    spaces, systems = [], []
    with tempfile.TemporaryDirectory(prefix="ic-bench-") as name:
        folder = pathlib.Path(name)
        small, large = small_module(), rust_module(folder)
        (folder / "command.wasm").write_bytes(small)
        try:
            spaces = [Space("ours"), Space("theirs")]
            spaces[1].enter()  # For what is asked over HTTP.
            systems.append(Ours(spaces[0], folder))
            systems.append(Bacalhau(spaces[1], folder, program))
            measure(systems, small, large)
            for system in systems:
                system.end()
            label = "killed worker's job runs elsewhere after"
            for number in range(FAIL_OVERS):
                for system in systems:
                    sample(f"{label}, {system.name}", "s", system.fail_over(sleeping_module()))
                (folder / str(number)).mkdir()
                sample(f"{label}, ipfs-compute, a machine each", "s",
                       fail_over_of_machines(sleeping_module(), folder / str(number)))
        finally:
            for system in systems:
                system.end()
            for space in spaces:
                space.end()


if __name__ == "__main__":
    main()
