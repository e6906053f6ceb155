#!/usr/bin/env python3
"""Faults over several hosts, each with a Kubo and a worker: jobs are under way, something breaks.

    faults_test.py PROGRAM TOOLS_KUBO [SCENARIO...]

Laws, whatever breaks: an accepted job ends, with the output that it should have; one receipt of it
is accepted; by the executors' own record no two runs of a job with effects are alive at once, and
no lease is run twice. IC_FAULTS_SEED replays a schedule, IC_LONG=1 asks for the full counts.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import hosts as hosts_module
from fleet import SECOND, Fleet, now_ns, say, until
from hosts import Cables
from machine_faults import Stalls, answers, clocks, disks
from topic_faults import gossip, strangers

LONG = bool(os.environ.get("IC_LONG"))
SEED = int(os.environ.get("IC_FAULTS_SEED", "1"))


# --- scenarios -----------------------------------------------------------------------------------
# Each is called with the fleet and its own random numbers, and returns what is to be printed.


def kills(fleet, random_):
    """F1: workers of other hosts, of one slot each, are killed in mid job, and start again."""
    count = 1000 if LONG else 40
    rounds = 60 if LONG else 5
    fleet.slots = 1
    for host in fleet.others:
        fleet.restart_worker(host)
    module = fleet.module(sleep_ms=200)
    submitting = fleet.background.submit(fleet.submit_all, "kills", count, module, "--impure")
    for _ in range(rounds):
        victim = random_.choice(fleet.others)
        try:  # Best while it runs something; at the end there may be nothing to run.
            until(lambda: victim in {run.host for run in fleet.running(None)}, 1, "a run")
        except AssertionError:
            pass
        fleet.restart_worker(victim)
        time.sleep(0.5 * random_.random())
    jobs = submitting.result()
    fleet.await_ends("kills")
    extra = fleet.check("kills", jobs)
    failovers = []
    for runs in (fleet.executions()[job] for job in jobs):
        for before, after in zip(runs, runs[1:]):
            if before.end is None:
                failovers.append((after.start - before.quiet_since()) / SECOND)
    # A slot has one run; there may be as many again whose results were on their way to Kubo.
    assert len(failovers) <= rounds, f"{rounds} kills ended {len(failovers)} runs"
    assert max(failovers, default=0) < 60, failovers
    fleet.slots = 2
    for host in fleet.others:
        fleet.restart_worker(host)
    return (f"{count} jobs, {rounds} kills, {extra} extra executions: {len(failovers)} of runs "
            f"that were under way, the others had ended and were not announced; fail-over "
            f"{max(failovers, default=0):.1f} s at most")


def coordinator(fleet, random_):
    """F3: the process that coordinates is killed after it has accepted, and starts again."""
    count, rounds = (200, 10) if LONG else (16, 2)
    killed, extra = 0, 0
    for number in range(rounds):
        label = f"coordinator{number}"
        jobs = fleet.submit_all(label, count, fleet.module(sleep_ms=700), "--impure")
        time.sleep(random_.random())
        remote = [run for run in fleet.running(jobs) if run.host is not fleet.origin]
        fleet.kill_worker(fleet.origin)
        time.sleep(random_.random() / 2)
        fleet.start_worker(fleet.origin)
        fleet.await_ends(label)
        extra += fleet.check(label, jobs)
        executions = fleet.executions()
        killed += sum(len(executions[run.job]) > 1 for run in remote)
    return (f"{rounds * count} jobs, {rounds} kills, {extra} extra executions "
            f"({killed} of runs elsewhere)")


def zombies(fleet, random_):
    """F4, F5: workers stand still for longer than their leases, another one is unplugged."""
    wanted, standing = (100, 3) if LONG else (1, 1)
    stopped_runs = unplugged_runs = extra = rounds = 0
    late_ms = 0.0
    while stopped_runs < wanted:
        label = f"zombies{rounds}"
        rounds += 1
        jobs = fleet.submit_all(label, 4 * len(fleet.all), fleet.module(sleep_ms=1500), "--impure")
        busy = until(lambda: (lambda hosts: len(hosts) > standing and hosts)(
            {run.host for run in fleet.running(jobs)} - {fleet.origin}), 60, "busy hosts")
        *stopped, unplugged = random_.sample(sorted(busy, key=lambda host: host.number),
                                             standing + 1)
        for host in stopped:
            os.killpg(host.worker.pid, signal.SIGSTOP)
        stop = now_ns()
        time.sleep(0.05)
        held = [run for run in fleet.running(jobs) if run.host in stopped]
        unplugged.plug(False)
        cut = [run for run in fleet.running(jobs) if run.host is unplugged]
        time.sleep(7 + random_.random())
        with Stalls() as stalls:
            for host in stopped:
                host.stops.append((stop, now_ns()))
                os.killpg(host.worker.pid, signal.SIGCONT)
            unplugged.plug(True)
            fleet.await_ends(label)
        # Nobody is awake while the machine stands still.
        still = int(stalls.longest_s * SECOND) if stalls.longest_s > 0.5 else 0
        for host in stopped:
            host.stops[-1] = (stop, host.stops[-1][1] + still)
        extra += fleet.check(label, jobs)
        # Of who stood still nothing is accepted: its lease was over.
        for run in held:
            epoch = fleet.ledger(
                "SELECT r.worker FROM receipts r JOIN jobs j USING (seq) WHERE j.job = ?"
                " AND r.fate = 'accepted' AND r.incarnation || '.' || r.n = ?", run.job, run.epoch)
            assert not epoch, f"{label}: the receipt of a lease that was over was accepted"
            until(lambda: [one for one in fleet.executions()[run.job]
                           if one.epoch == run.epoch and one.end], 10, "the woken guest's end")
        woken = [one for run in held for one in fleet.executions()[run.job]
                 if one.epoch == run.epoch]
        late = [(one.end - one.host.stops[-1][1]) / 1e6 for one in woken]
        assert all(ms < 1000 for ms in late), f"it went on: {late}"
        late_ms = max([late_ms, *late])
        stopped_runs += len(held)
        unplugged_runs += len(cut)
    return (f"{stopped_runs} runs stopped, {unplugged_runs} cut off in {rounds} rounds, {extra} "
            f"extra executions, none of the stopped accepted, guests ended {late_ms:.0f} ms after "
            "they woke at the latest")


def splits(fleet, random_):
    """F5: the network falls apart, in halves or one host against the rest, and grows together."""
    rounds = 10 if LONG else 2
    count = alone = extra = 0
    ended_s = joined_s = 0.0
    for number in range(rounds):
        label = f"splits{number}"
        jobs = run_on_all(fleet, label, fleet.module(sleep_ms=1500))
        # The coordinator stays with half of the others, or with none.
        apart = random_.sample(fleet.others, len(fleet.all) // 2 if number % 2 == 0
                               else len(fleet.others))
        fleet.network.split(apart)
        alone += sum(run.host in apart for run in fleet.running(jobs))
        time.sleep(4 + 6 * random_.random())  # Shorter and longer than a lease.
        fleet.network.split([])
        healed = time.monotonic()
        fleet.await_ends(label)
        ended_s = max(ended_s, time.monotonic() - healed)
        extra += fleet.check(label, jobs)
        after = f"healed{number}"
        more = run_on_all(fleet, after, fleet.module(sleep_ms=500))
        joined_s = max(joined_s, time.monotonic() - healed)
        fleet.await_ends(after)
        extra += fleet.check(after, more)
        count += len(jobs) + len(more)
    return (f"{count} jobs, {rounds} splits with {alone} runs on the "
            f"other side, {extra} extra executions; after the healing all had ended within "
            f"{ended_s:.1f} s, and all hosts ran jobs again within {joined_s:.1f} s")


def run_on_all(fleet, label, module):
    """Submits until each host runs something; there are always more jobs than slots."""
    jobs = []

    def all_are_busy():
        if list(fleet.states(label).values()).count("open") < 4 * len(fleet.all):
            numbers = range(len(jobs), len(jobs) + 2 * len(fleet.all))
            jobs.extend(fleet.pool.map(
                lambda number: fleet.submit(fleet.origin, label, number, module, "--impure"),
                numbers))
        return {run.host for run in fleet.running(None)} == set(fleet.all)

    until(all_are_busy, 60, "a run on each host")
    return jobs


def flapping(fleet, random_):
    """F6: cables go out and in."""
    count, seconds = (500, 60) if LONG else (40, 6)
    schedule = [(random_.choice(fleet.others), 0.1 + 1.5 * random_.random(), random_.random() / 2)
                for _ in range(1000)]
    submitted = fleet.background.submit(
        fleet.submit_all, "flapping", count, fleet.module(sleep_ms=100), "--impure")
    deadline = time.monotonic() + seconds
    flaps = 0
    for host, out, pause in schedule:
        if time.monotonic() > deadline:
            break
        host.plug(False)
        time.sleep(out)
        host.plug(True)
        time.sleep(pause)
        flaps += 1
    healed = time.monotonic()
    jobs = submitted.result()
    fleet.await_ends("flapping")
    extra = fleet.check("flapping", jobs)
    return (f"{count} jobs, {flaps} cuts, {extra} extra executions, "
            f"all ended {time.monotonic() - healed:.1f} s after the last")


def weather(fleet, random_):
    """F7: the cables lose, double, reorder, delay and damage what goes over them."""
    # Over what a session reads on its own; Kubo's connections end at one bit, and start again.
    damage = {"damage": 0.01, "damage_not_port": [4001]}
    said = []
    for loss in (0.0, 0.01, 0.1, 0.3) if LONG else (0.05,):
        count = 500 if LONG else 60
        label = f"weather{loss}"
        cables = Cables(fleet.network, seed=random_.random(), loss=loss, double=0.2, reorder=0.2,
                        late_ms=[5, 40 if loss > 0.2 else 100], **damage)
        try:
            jobs = fleet.submit_all(label, count, fleet.module(sleep_ms=50), "--impure")
            fleet.await_ends(label, 900)
            extra = fleet.check(label, jobs)
        finally:
            counts = cables.end()
        assert counts.get("lost") or not loss, counts
        assert counts["doubled"] and counts["reordered"], counts
        said.append(f"{count} jobs with {100 * loss:.0f} % lost: {extra} extra executions, "
                    f"{counts}")
    return "; ".join(said)


def burst(fleet, _random):
    """F8: jobs as fast as eight clients can offer them."""
    count = 5000 if LONG else 150
    before = max(fleet.rss_mb(host) for host in fleet.all)
    began = time.monotonic()
    jobs = fleet.submit_all("burst", count, fleet.module())
    offered = time.monotonic() - began
    fleet.await_ends("burst", 600)
    took = time.monotonic() - began
    extra = fleet.check("burst", jobs, has_effects=False)
    after = max(fleet.rss_mb(host) for host in fleet.all)
    assert after < 600, f"a worker has {after} MB"
    return (f"{count} jobs accepted in {offered:.1f} s, ended after {took:.1f} s, {extra} extra "
            f"executions, workers' RSS {before} MB before, {after} MB after")


def cancels(fleet, random_):
    """F17: many queued jobs for one worker; half are cancelled while it works at them."""
    count = 10_000 if LONG else 100
    worker = fleet.others[0]
    before = fleet.rss_mb(fleet.origin)
    jobs = fleet.submit_all("cancels", count, fleet.module(sleep_ms=20), "--impure",
                            "--constraint", "queue=cancels", "--queue-timeout", "1h",
                            "--total-timeout", "2h")
    assert set(fleet.states("cancels").values()) == {"open"}
    queued = fleet.rss_mb(fleet.origin)
    lists_ms = []
    for number in range(100):
        began = time.monotonic()
        fleet.origin.compute("job", "list", "--state", random_.choice(("open", "finished")),
                             "--limit", "100", "--json")
        lists_ms.append(1000 * (time.monotonic() - began))
    victims = set(random_.sample(jobs, count // 2))
    acknowledged = {}

    def cancel(job):
        fleet.origin.compute("job", "cancel", job)
        acknowledged[job] = now_ns()

    fleet.restart_worker(worker, "--label", "queue=cancels")
    list(fleet.pool.map(cancel, sorted(victims)))
    fleet.await_ends("cancels", 1200)
    most = max(queued, fleet.rss_mb(fleet.origin))
    fleet.check("cancels", jobs, cancelled=victims)
    states = fleet.states("cancels")
    executions = fleet.executions()
    never_ran = 0
    for job in victims:
        late = [run for run in executions[job] if run.start > acknowledged[job]]
        assert not late, f"{job} was started after its cancel was acknowledged"
        alive = [run for run in executions[job]
                 if run.quiet_since() is None or run.quiet_since() > acknowledged[job] + SECOND]
        assert not alive, f"{job} still ran after its cancel was acknowledged"
        never_ran += not executions[job]
    assert {run.host for job in jobs for run in executions[job]} == {worker}
    cancelled = sum(states[job] == "cancelled" for job in victims)
    assert cancelled > 0, "all had ended before"
    assert most < 300, f"the coordinator has {most} MB"
    fleet.restart_worker(worker)
    lists_ms.sort()
    return (f"{count} jobs queued for 1 worker, {cancelled} cancelled of which {never_ran} never "
            f"ran, none late; coordinator's RSS {before} MB before, {most} MB at most; `job list` "
            f"{lists_ms[50]:.0f} ms, of 100 the second slowest {lists_ms[98]:.0f} ms, with the "
            "process's start")


def kubo(fleet, random_):
    """F23: Kubos are killed, stopped and started again under running jobs."""
    count, rounds = (400, 5) if LONG else (48, 1)
    extra, loads = 0, []
    for number in range(rounds):
        label = f"kubo{number}"
        jobs = fleet.submit_all(label, count, fleet.module(sleep_ms=400), "--impure")
        killed, stopped = random_.sample(fleet.others, 2)
        killed.end_kubo()
        stopped.daemon.send_signal(signal.SIGSTOP)
        fleet.origin.end_kubo()
        before = {host: fleet.cpu_seconds(host) for host in (killed, fleet.origin)}
        began = time.monotonic()
        refused = fleet.origin.compute(
            "submit", "--ipfs", "kubo", "--handler", "handler", "--wasm-file", module_file(fleet),
            "--nonce", "refused", "--label", "of=refused", "--detach", "--", "x", check=False)
        assert refused.returncode != 0, "accepted what no other host can be given"
        assert b"Kubo" in refused.stderr, refused.stderr
        assert not fleet.states("refused")
        time.sleep(4)
        took = time.monotonic() - began
        loads += [(fleet.cpu_seconds(host) - cpu) / took for host, cpu in before.items()]
        fleet.restart_kubo(killed)
        fleet.restart_kubo(fleet.origin)
        stopped.daemon.send_signal(signal.SIGCONT)
        fleet.connect()
        fleet.await_ends(label)
        extra += fleet.check(label, jobs)
    assert max(loads) < 0.5, f"busy without a Kubo: {loads}"
    return (f"{rounds * count} jobs, {extra} extra executions, a worker without its Kubo used "
            f"{100 * max(loads):.0f} % of a core; submit said: "
            + refused.stderr.decode().strip().splitlines()[-1])


def module_file(fleet):
    file = fleet.network.folder / "module.wasm"
    file.write_bytes(hosts_module.echo_module(sleep_ms=1))
    return file


def restarts(fleet, random_):
    """F24: all workers go at once, and come back."""
    count, rounds = (200, 10) if LONG else (24, 2)
    extra = 0
    for number in range(rounds):
        label = f"restarts{number}"
        jobs = fleet.submit_all(label, count, fleet.module(sleep_ms=300), "--impure")
        list(fleet.pool.map(fleet.kill_worker, fleet.all))
        for host in random_.sample(fleet.all, len(fleet.all)):
            fleet.start_worker(host)
        fleet.await_ends(label)
        extra += fleet.check(label, jobs)
    return f"{rounds * count} jobs, {rounds} restarts of all, {extra} extra executions"


def set_paths(fleet, listen, streams):
    for host in fleet.all:
        fleet.kill_worker(host)
        host.compute("config", "set", "network.listen", listen)
        host.end_kubo()
        host.ipfs("config", "--json", "Experimental.Libp2pStreamMounting", json.dumps(streams))
        host.start_kubo()
    for host in fleet.all:
        host.await_kubo()
    fleet.connect()
    for host in fleet.all:
        fleet.start_worker(host)
    for host in fleet.all:
        host.await_word(host.worker, "listening to other nodes")


def streams(fleet, _random):
    """No port is open to other hosts: what is for one goes through the Kubos' streams."""
    set_paths(fleet, "off", True)
    count = 200 if LONG else 24
    jobs = fleet.submit_all("streams", count, fleet.module(sleep_ms=100), "--impure")
    fleet.await_ends("streams")
    extra = fleet.check("streams", jobs)
    executions = fleet.executions()
    elsewhere = sum(run.host is not fleet.origin for job in jobs for run in executions[job])
    assert elsewhere, "no other host was reached"
    # Killed processes leave no tunnels behind in their Kubos.
    for host in fleet.all:
        fleet.restart_worker(host)
        host.await_word(host.worker, "listening to other nodes")
    again = fleet.submit_all("streams-again", count, fleet.module(sleep_ms=100), "--impure")
    fleet.await_ends("streams-again")
    extra += fleet.check("streams-again", again)
    listeners = [host.ipfs("p2p", "ls").decode().count("/tcp/") for host in fleet.all]
    return (f"{2 * count} jobs, {elsewhere} of {count} elsewhere, {extra} extra executions, "
            f"tunnels of each Kubo {listeners}")


def topic(fleet, _random):
    """Neither ports nor streams: the topic, for pure jobs alone."""
    set_paths(fleet, "off", False)
    fleet.kill_worker(fleet.origin)  # So that it coordinates, and others run.

    def submit(number):
        return fleet.origin.compute(
            "submit", "--ipfs", "kubo", "--handler", "handler", "--wasm-cid", fleet.module(),
            "--nonce", f"topic {number}", "--label", "of=topic", "--label",
            f"number={number}", "--json", "--", f"topic-{number}", check=False)

    count = 50 if LONG else 6
    for done in fleet.pool.map(submit, range(count)):
        assert done.returncode == 0, done.stderr.decode()
    jobs = [fleet.ledger(
        "SELECT j.job FROM jobs j JOIN labels a USING (seq) JOIN labels b USING (seq)"
        " WHERE a.value = 'topic' AND b.name = 'number' AND b.value = ?", str(number))[0][0]
            for number in range(count)]
    extra = fleet.check("topic", jobs, has_effects=False)
    done = fleet.origin.compute(
        "submit", "--ipfs", "kubo", "--handler", "handler", "--wasm-cid", fleet.module(),
        "--impure", "--nonce", "effects", "--total-timeout", "6s", "--", "effects", check=False)
    assert done.returncode != 0, "a job with effects was run over the topic"
    job = re.search(r"job (baf\w+)", done.stderr.decode())[1]
    assert not fleet.executions()[job]
    why = fleet.why(job)
    assert "cannot be reached directly" in why, why
    return (f"{count} pure jobs, {extra} extra executions; one with effects was refused: "
            + done.stderr.decode().strip().splitlines()[-1])


FAULTS = [kills, answers, coordinator, zombies, splits, flapping, weather, gossip, burst, clocks,
          disks, cancels, strangers, kubo, restarts]
PATHS = [streams, topic]


def main():
    program, tools_kubo, *names = sys.argv[1:]
    scenarios = {scenario.__name__: scenario for scenario in FAULTS + PATHS}
    chosen = [scenarios[name] for name in names] or FAULTS + PATHS
    kubo_program = hosts_module.kubo_or_skip(tools_kubo)
    # Whoever ends this early gets its hosts taken down too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    say(f"seed {SEED}; IC_FAULTS_SEED={SEED} replays its schedules")
    with tempfile.TemporaryDirectory(prefix="ic-faults-") as folder:
        fleet = Fleet(program, kubo_program, folder, 6 if LONG else 4)
        try:
            began = time.monotonic()
            fleet.start()
            say(f"{fleet.count} hosts are ready after {time.monotonic() - began:.1f} s")
            for scenario in chosen:
                began = time.monotonic()
                said = scenario(fleet, random.Random(f"{SEED} {scenario.__name__}"))
                say(f"{scenario.__name__}: {said} [{time.monotonic() - began:.1f} s]")
        except BaseException:
            for host in fleet.network.hosts:
                say(f"--- {host.name}\n{host.logs()[-3000:]}")
            raise
        finally:
            fleet.end()
    say("all held")


if __name__ == "__main__":
    main()
