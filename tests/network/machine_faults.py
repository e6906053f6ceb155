"""Scenarios of faults_test.py in which a machine is not in order: its clocks, its disk, or the
moment in which its worker dies."""

import base64
import errno
import hashlib
import mmap
import os
import pathlib
import select
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

from fleet import SECOND, now_ns, until

HERE = pathlib.Path(__file__).resolve().parent
LONG = bool(os.environ.get("IC_LONG"))
HOUR_S = 3600


class Machine:
    """What workers and commands of a host see of its clocks and its disk: faulty_machine.cc."""

    LAYOUT = struct.Struct("<qqqqQ")
    WALL, ERROR = 0, 24

    def __init__(self, host, rate=1.0):
        built = pathlib.Path(host.network.program).parent / "tests/network/libfaulty_machine.so"
        library = pathlib.Path(os.environ.get("IC_FAULTY_MACHINE_LIBRARY", built))
        assert library.exists(), f"{library} is not built"
        self.host = host
        reference = now_ns()
        file = host.folder / f"machine{len(host.records)}"
        file.write_bytes(self.LAYOUT.pack(0, reference, round(rate * 1e6), 0,
                                          host.home.stat().st_dev))
        with open(file, "r+b") as opened:
            self.memory = mmap.mmap(opened.fileno(), self.LAYOUT.size)
        host.environment.update(LD_PRELOAD=str(library), IC_FAULTY_MACHINE=str(file))
        host.begin_record(file.name + ".record",
                          lambda instant: reference + round((instant - reference) / rate))

    def set_wall_clock(self, ahead_s):
        struct.pack_into("<q", self.memory, self.WALL, round(ahead_s * 1e9))

    def set_disk_error(self, number):
        struct.pack_into("<q", self.memory, self.ERROR, number)

    def leave(self):
        for name in ("LD_PRELOAD", "IC_FAULTY_MACHINE"):
            del self.host.environment[name]
        self.host.begin_record(f"record{len(self.host.records)}")


class Stalls:
    """How long nothing went on here at the longest: then no law speaks about whoever was late."""

    def __init__(self):
        self.longest_s = 0
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        before = time.monotonic()
        while not self.ends.wait(0.05):
            now = time.monotonic()
            self.longest_s, before = max(self.longest_s, now - before), now

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()


# --- F2 ------------------------------------------------------------------------------------------


class Gate:
    def __init__(self, host):
        self.host = host
        self.process = subprocess.Popen(
            host.command(sys.executable, HERE / "gate.py", 5901, 5001), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.process.stdout.readline() == "ready\n"
        host.compute("config", "set", "kubo", "http://127.0.0.1:5901")

    def say(self, word):
        self.process.stdin.write(word + "\n")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.host.compute("config", "set", "kubo", "auto")


def raw_cid(content):
    """Of a file of one block: CIDv1, raw, SHA-256."""
    digest = b"\x01\x55\x12\x20" + hashlib.sha256(content).digest()
    return "b" + base64.b32encode(digest).decode().lower().rstrip("=")


def answers(fleet, random_):
    """F2: workers die between adding a result and announcing it, and just after."""
    kills = 200 if LONG else 8
    count = 3 * kills
    gates = {}
    seen = killed_before = killed_after = 0
    try:
        for host in fleet.others:
            gates[host] = Gate(host)
            fleet.restart_worker(host)
        submitting = fleet.background.submit(fleet.submit_all, "answers", count,
                                             fleet.module(sleep_ms=200), "--impure",
                                             "--retries", "20")
        by_output = {gate.process.stdout: gate for gate in gates.values()}
        armed = {}
        deadline = time.monotonic() + 60 + 10 * kills
        while killed_before + killed_after < kills:
            for gate in gates.values():
                if gate not in armed:
                    armed[gate] = random_.choice(("hold", "hold", "pass"))
                    gate.say(armed[gate])
            ready, _, _ = select.select(list(by_output), [], [], 1)
            for output in ready:
                gate = by_output[output]
                word = output.readline().strip()
                if word == "passed":
                    time.sleep(0.003 * random_.random())
                    killed_after += 1
                else:
                    assert word == "held", word
                    killed_before += 1
                fleet.kill_worker(gate.host)
                gate.say("drop")
                fleet.start_worker(gate.host)
                del armed[gate]
            if submitting.done() and "open" not in fleet.states("answers").values():
                break
            assert time.monotonic() < deadline, f"{killed_before + killed_after} of {kills} kills"
        for gate in gates.values():
            gate.say("neither")
        jobs = submitting.result()
        # What is held still: of gates that were armed when the last was killed.
        time.sleep(0.2)
        for gate in gates.values():
            gate.say("drop")
        fleet.await_ends("answers", 600)
        extra = fleet.check("answers", jobs)
        executions = fleet.executions()
        for number, job in enumerate(jobs):
            hosts = {run.host for run in executions[job] if run.end is not None} - {fleet.origin}
            # Of those on other hosts: a kill may have come before the other slot's was added.
            if len(hosts) > 1 and seen < 20:
                cid = raw_cid(f"answers-{number}\n".encode())
                seen += all(host.has_block(cid) for host in hosts)
    finally:
        for gate in gates.values():
            gate.end()
        for host in fleet.all:
            fleet.restart_worker(host)
    assert killed_before, "none was killed in that moment"
    assert seen or not LONG, "no job has two results"
    assert extra <= 10 * kills + len(fleet.all), f"{extra} extra executions of {kills} kills"
    return (f"{count} jobs, {killed_before} killed with the result added and not announced, "
            f"{killed_after} just after; {extra} extra executions; {seen} jobs (looked for: 20) "
            "have their one result in two Kubos")


# --- F9 ------------------------------------------------------------------------------------------


def clocks(fleet, random_):
    """F9: clocks are an hour off, run a fifth too fast or slow, and are set under running jobs."""
    rounds, count = (4, 60) if LONG else (1, 2 * len(fleet.all))
    steps = extra = cut_extra = cut_runs = 0
    for number in range(rounds):
        # The coordinator's clock and the first worker's are as far apart as leases allow for.
        fast, slow = 1.2, 0.8
        own, first = (fast, slow) if number % 2 == 0 else (slow, fast)
        rates = [own, first] + [random_.choice((fast, slow, 1.0)) for _ in fleet.all[2:]]
        machines = {}
        try:
            for host, rate in zip(fleet.all, rates):
                fleet.kill_worker(host)
                machines[host] = Machine(host, rate)
                machines[host].set_wall_clock(random_.choice((-HOUR_S, HOUR_S))
                                              if host is not fleet.origin else 0)
                fleet.start_worker(host)
            for host in fleet.all:
                host.await_word(host.worker, "listening to other nodes")
            over = threading.Event()

            def step():
                """What a job's submitter signs is good for an hour: its own steps are shorter."""
                done = 0
                while not over.wait(0.1 + 0.4 * random_.random()):
                    host = random_.choice(fleet.all)
                    span = HOUR_S / 2.1 if host is fleet.origin else HOUR_S
                    machines[host].set_wall_clock(random_.uniform(-span, span))
                    done += 1
                return done

            stepping = fleet.background.submit(step)
            try:
                with Stalls() as stalls:
                    label = f"clocks{number}"
                    jobs = fleet.submit_all(label, count, fleet.module(sleep_ms=4500), "--impure")
                    fleet.await_ends(label, 300)
                early = fleet.check(label, jobs)
                assert early == 0 or stalls.longest_s > 0.5, f"{early} leases ended early"
                extra += early
                label = f"cut{number}"
                victim = fleet.all[1]
                jobs = fleet.submit_all(label, 3 * len(fleet.all), fleet.module(sleep_ms=6000),
                                        "--impure")
                until(lambda: [run for run in fleet.running(jobs) if run.host is victim], 60,
                      "a run of the first worker")
                victim.plug(False)
                cut_runs += sum(run.host is victim for run in fleet.running(jobs))
                time.sleep(9)
                victim.plug(True)
                fleet.await_ends(label, 300)
                cut_extra += fleet.check(label, jobs)
            finally:
                over.set()
                steps += stepping.result()
        finally:
            for host, machine in machines.items():
                if host.worker.poll() is None:
                    fleet.kill_worker(host)
                machine.leave()
                fleet.start_worker(host)
    return (f"{rounds * (count + 3 * len(fleet.all))} jobs, {steps} steps of wall clocks, {extra} "
            f"leases lost by them; rates 0.8 to 1.2, {cut_runs} runs cut off, {cut_extra} extra "
            "executions, no two at once")


# --- F15 -----------------------------------------------------------------------------------------


class SmallDisk:
    """A host's home on a disk of its own that has little room left."""

    ROOM = 24 << 20

    def __init__(self, host):
        self.host = host
        self.kept = host.home.with_name("compute.kept")
        used = int(subprocess.run(["du", "-s", "-B1", host.home], stdout=subprocess.PIPE,
                                  check=True).stdout.split()[0])
        host.home.rename(self.kept)
        host.home.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={used + self.ROOM},mode=700", "none",
                        host.home], check=True)
        self.copy(self.kept, host.home)

    @staticmethod
    def copy(source, target):
        subprocess.run(["cp", "-a", "--sparse=always", f"{source}/.", target], check=True)

    def fill(self):
        with open(self.host.home / "filler", "ab", buffering=0) as filler:
            for size in (1 << 20, 1 << 12):
                try:
                    while filler.write(bytes(size)) == size:
                        pass
                except OSError as error:
                    assert error.errno == errno.ENOSPC, error

    def make_room(self):
        (self.host.home / "filler").unlink(missing_ok=True)

    def leave(self):
        shutil.rmtree(self.kept)
        self.kept.mkdir(mode=0o700)
        self.copy(self.host.home, self.kept)
        subprocess.run(["umount", "--lazy", self.host.home], check=True)
        self.host.home.rmdir()
        self.kept.rename(self.host.home)


def break_disk(kind, disk, machine):
    if kind == "full":
        disk.fill()
    else:
        machine.set_disk_error(errno.EIO if kind == "failing" else errno.EROFS)


def heal_disk(disk, machine):
    disk.make_room()
    machine.set_disk_error(0)


def await_worker(fleet, host):
    """Whether it was still there after its disk was broken; it is now."""
    if host.worker.poll() is None:
        return True
    fleet.start_worker(host)
    host.await_word(host.worker, "listening to other nodes")
    return False


def disks(fleet, random_):
    """F15: disks fill up, fail, take no writes, and get well again: workers', the coordinator's."""
    rounds, count = (9, 60) if LONG else (3, 24)
    hosts = [fleet.origin] + fleet.others[:2]
    disk, machine = {}, {}
    extra = ended = refused = 0
    try:
        for host in hosts:
            fleet.kill_worker(host)
            disk[host] = SmallDisk(host)
            machine[host] = Machine(host)
            fleet.start_worker(host)
        for host in hosts:
            host.await_word(host.worker, "listening to other nodes")
        for number in range(rounds):
            kind = ("full", "failing", "read-only")[number % 3]
            # A worker, while jobs go on elsewhere.
            label = f"disks{number}"
            victim = random_.choice(hosts[1:])
            submitting = fleet.background.submit(fleet.submit_all, label, count,
                                                 fleet.module(sleep_ms=300), "--impure")
            time.sleep(random_.random())
            break_disk(kind, disk[victim], machine[victim])
            time.sleep(3 + random_.random())
            if number % 2:
                fleet.restart_worker(victim)
                time.sleep(1)
            jobs = submitting.result()
            heal_disk(disk[victim], machine[victim])
            ended += not await_worker(fleet, victim)
            fleet.await_ends(label)
            extra += fleet.check(label, jobs)
            # The coordinator: it takes no more jobs, and forgets none that it has.
            label = f"journal{number}"
            jobs = fleet.submit_all(label, count, fleet.module(sleep_ms=300), "--impure")
            break_disk(kind, disk[fleet.origin], machine[fleet.origin])
            offered = fleet.origin.compute(
                "submit", "--ipfs", "kubo", "--handler", "handler", "--wasm-cid",
                fleet.module(sleep_ms=300), "--impure", "--nonce", f"refused {number}", "--label",
                f"of=refused{number}", "--detach", "--", "x", check=False)
            assert offered.returncode != 0, "accepted what could not be written"
            refused += 1
            time.sleep(3 + random_.random())
            heal_disk(disk[fleet.origin], machine[fleet.origin])
            ended += not await_worker(fleet, fleet.origin)
            fleet.await_ends(label)
            extra += fleet.check(label, jobs)
    finally:
        for host in disk:
            if host.worker.poll() is None:
                fleet.kill_worker(host)
            machine[host].leave()
            disk[host].leave()
            fleet.start_worker(host)
    for host in hosts:
        verified = host.compute("repo", "verify", check=False)
        assert verified.returncode == 0, verified.stdout.decode() + verified.stderr.decode()
    return (f"{rounds * 2 * count} jobs, {2 * rounds} broken disks, {extra} extra executions, "
            f"{refused} jobs refused meanwhile, {ended} workers ended and started again, every "
            f"block verified; submit said: {offered.stderr.decode().strip().splitlines()[-1]}")
