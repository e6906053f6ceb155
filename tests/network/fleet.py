"""A fleet of hosts whose jobs are watched: what was submitted, what the ledger says of it, what the
executors recorded, and the laws over all of them."""

import collections
import concurrent.futures
import hashlib
import os
import re
import sqlite3
import time

import hosts as hosts_module

#: A bound on liveness alone: a busy machine is slow.
ENDED_WITHIN_S = 180
SECOND = 1_000_000_000


def say(*words):
    print(*words, flush=True)


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class Execution:
    def __init__(self, host, words):
        self.host = host
        self.job, self.epoch, self.executor = words[:3]
        self.start = int(words[3])
        self.end = None

    def quiet_since(self):
        """When at the latest it did not run any more, for all that is known."""
        if self.end is not None:
            # A guest that was stopped and woke up ends before it goes on.
            for stop, woken in self.host.stops:
                if self.start < stop < self.end < woken + SECOND:
                    return stop
            return self.end
        kills = [kill for kill in self.host.kills if kill > self.start]
        return min(kills, default=None)


class Fleet:
    def __init__(self, program, kubo, folder, count):
        self.network = hosts_module.Network(program, kubo, folder)
        self.count = count
        self.slots = 2
        self.modules = {}
        self.pool = concurrent.futures.ThreadPoolExecutor(8)
        self.background = concurrent.futures.ThreadPoolExecutor(2)

    # --- hosts ---

    def start(self):
        self.all = [self.network.add_host() for _ in range(self.count)]
        for host in self.all:
            host.kills, host.stops = [], []
            host.start_kubo()
        for host in self.all:
            host.await_kubo()
        self.network.trust_each_other()
        self.connect()
        for host in self.all:
            self.start_worker(host)
        for host in self.all:
            host.await_word(host.worker, "listening to other nodes")

    @property
    def origin(self):
        return self.all[0]

    @property
    def others(self):
        return self.all[1:]

    def connect(self):
        for host in self.others:
            host.connect(self.origin)

    def start_worker(self, host, *words):
        host.worker = host.start_worker("--slots", self.slots, *words)

    def kill_worker(self, host):
        # The kernel ends its executors, and what runs here next comes after that: tests/system has
        # a look at those processes themselves.
        host.kills.append(now_ns())
        host.worker.kill()
        host.worker.wait()

    def restart_worker(self, host, *words):
        if host.worker.poll() is None:
            self.kill_worker(host)
        self.start_worker(host, *words)

    def restart_kubo(self, host):
        host.start_kubo()
        host.await_kubo()

    # --- jobs ---

    def module(self, **what):
        key = tuple(sorted(what.items()))
        if key not in self.modules:
            added = self.origin.ipfs("add", "-q", "--cid-version=1",
                                     input=hosts_module.echo_module(**what))
            self.modules[key] = added.decode().strip()
        return self.modules[key]

    def submit(self, host, label, number, module, *flags, check=True):
        done = host.compute("submit", "--ipfs", "kubo", "--handler", "handler", "--wasm-cid",
                            module, "--nonce", f"{label} {number}", "--label", f"of={label}",
                            "--detach", *flags, "--", f"{label}-{number}", check=check)
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def submit_all(self, label, count, module, *flags, host=None):
        """Their CIDs, in order. Each is accepted when its submit has ended."""
        numbers = range(count)
        return list(self.pool.map(
            lambda number: self.submit(host or self.origin, label, number, module, *flags),
            numbers))

    def ledger(self, sql, *values, host=None):
        file = (host or self.origin).home / "ledger.db"
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30) as ledger:
            return ledger.execute(sql, values).fetchall()

    def states(self, label, host=None):
        return dict(self.ledger(
            "SELECT j.job, j.state FROM jobs j JOIN labels l USING (seq) WHERE l.value = ?",
            label, host=host))

    def await_ends(self, label, seconds=ENDED_WITHIN_S, host=None):
        def ended():
            return not self.ledger(
                "SELECT 1 FROM jobs j JOIN labels l USING (seq) WHERE l.value = ?"
                " AND j.state = 'open' LIMIT 1", label, host=host)
        try:
            until(ended, seconds, label)
        except AssertionError:
            states = collections.Counter(self.states(label, host).values())
            raise AssertionError(f"{label}: after {seconds} s: {dict(states)}") from None

    # --- what happened ---

    def executions(self):
        """By job, in the order of their starts."""
        by_job = collections.defaultdict(list)
        for host in self.all:
            begun = {}
            for line in host.executions():
                what, *words = line.split()
                key = tuple(words[:3])
                if what == "start":
                    begun[key] = Execution(host, words)
                    by_job[words[0]].append(begun[key])
                elif key in begun:
                    begun[key].end = int(words[3])
        for runs in by_job.values():
            runs.sort(key=lambda run: run.start)
        return by_job

    def check(self, label, jobs, has_effects=True, cancelled=(), host=None):
        """The laws, over all jobs of a label."""
        host = host or self.origin
        accepted = [job for job in jobs if job]
        states = self.states(label, host)
        lost = [job for job in accepted if job not in states]
        assert not lost, f"{label}: {len(lost)} accepted jobs are not in the ledger"
        wrong = {job: state for job, state in states.items()
                 if state != "finished" and job not in cancelled}
        assert not wrong, f"{label}: {self.why(list(wrong)[0], host)}"
        executions = self.executions()
        runs = 0
        for number, job in enumerate(jobs):
            if not job or states[job] != "finished":
                continue
            receipts = self.ledger(
                "SELECT r.bytes, j.error FROM receipts r JOIN jobs j USING (seq)"
                " WHERE j.job = ? AND r.fate = 'accepted'", job, host=host)
            assert len(receipts) == 1, f"{label}: {len(receipts)} accepted receipts of {job}"
            bytes_, error = receipts[0]
            assert error is None, f"{label}: {self.why(job, host)}"
            output = hashlib.sha256(f"{label}-{number}\n".encode()).digest()
            assert output in bytes_, f"{label}: another output of job {number}"
            assert executions[job], f"{label}: {job} was never run"
            leases = collections.Counter(run.epoch for run in executions[job])
            assert max(leases.values()) == 1, f"{label}: a lease of {job} was run twice"
            runs += len(executions[job])
            if has_effects:
                self.check_no_overlap(label, executions[job])
        return runs - len(accepted) + len(cancelled)

    @staticmethod
    def check_no_overlap(label, runs):
        for before, after in zip(runs, runs[1:]):
            quiet = before.quiet_since()
            assert quiet is not None and quiet <= after.start, (
                f"{label}: two runs of {before.job} at once: {before.host.name} since "
                f"{before.start} (quiet {quiet}), {after.host.name} since {after.start}")

    def why(self, job, host=None):
        host = host or self.origin
        return host.compute("job", "describe", job, "--json").stdout.decode()

    def running(self, jobs):
        """Executions under way, of these jobs (None: of all)."""
        return [run for job, runs in self.executions().items() if jobs is None or job in jobs
                for run in runs if run.quiet_since() is None]

    def cpu_seconds(self, host):
        fields = open(f"/proc/{host.worker.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self, host):
        status = open(f"/proc/{host.worker.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024

    def end(self):
        self.background.shutdown()
        self.pool.shutdown()
        self.network.end()
