"""Scenarios of faults_test.py in which the topic is not in order: what is on it is lost, late or
damaged, or comes from somebody whom nobody trusts."""

import base64
import collections
import copy
import json
import os
import pathlib
import re
import subprocess
import sys

from fleet import until

HERE = pathlib.Path(__file__).resolve().parent
LONG = bool(os.environ.get("IC_LONG"))
TOPIC = "ipfs-compute/1/0"
METRICS_PORT = 9464


# --- F7 ------------------------------------------------------------------------------------------


class BadTopic:
    """Between a host and its Kubo, until `end`; see bad_topic.py."""

    def __init__(self, host, **weather):
        self.host = host
        self.process = subprocess.Popen(
            host.command(sys.executable, HERE / "bad_topic.py", json.dumps(weather), 5901, 5001),
            stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        host.compute("config", "set", "kubo", "http://127.0.0.1:5901")

    def end(self):
        """What met the messages."""
        self.host.compute("config", "set", "kubo", "auto")
        self.process.terminate()
        return collections.Counter(json.loads(self.process.communicate()[0]))


def packets(host):
    """What became of the packets of the topic, by the worker's own counters."""
    script = ("import urllib.request; print(urllib.request.urlopen("
              f"'http://127.0.0.1:{METRICS_PORT}/metrics').read().decode())")
    text = subprocess.run(host.command(sys.executable, "-c", script), check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    return collections.Counter(
        {outcome: int(count) for outcome, count in re.findall(
            r'^ipfs_compute_topic_packets_total\{outcome="([^"]+)"\} (\d+)$', text, re.M)})


def read_all(host, handed_over):
    counted = packets(host)
    return counted if sum(counted.values()) - counted["published"] == handed_over else None


def gossip(fleet, random_):
    """F7: messages of the topic are lost, doubled, up to two seconds late, damaged."""
    said = []
    met_in_all, taken_in_all = collections.Counter(), collections.Counter()
    # Of few messages so many, that none of either kind is out of the question.
    double, damage = (0.2, 0.05) if LONG else (0.8, 0.4)
    for loss in (0.0, 0.01, 0.1, 0.3) if LONG else (0.2,):
        count = 500 if LONG else 60
        label = f"gossip{loss}"
        met, taken, bad = collections.Counter(), collections.Counter(), []
        try:
            for host in fleet.all:
                bad.append(BadTopic(host, seed=random_.random(), loss=loss, double=double,
                                    late_s=[0, 2], damage=damage))
                fleet.restart_worker(host, "--metrics-listen", METRICS_PORT)
            for host in fleet.all:
                host.await_word(host.worker, "listening to other nodes")
            jobs = fleet.submit_all(label, count, fleet.module(sleep_ms=50), "--impure")
            fleet.await_ends(label, 900)
            extra = fleet.check(label, jobs)
            while bad:
                one = bad.pop()
                counts = one.end()
                met += counts
                # Each is counted, once what was handed over last is read.
                taken += until(lambda host=one.host, over=counts["handed over"]:
                               read_all(host, over), 30, "all messages, each counted once")
        finally:
            for one in bad:
                one.end()
            for host in fleet.all:
                fleet.restart_worker(host)
        # What is damaged is not taken, what came twice is taken once.
        assert taken["taken"] <= met["messages"] - met["lost"] - met["damaged"], (taken, met)
        met_in_all += met
        taken_in_all += taken
        said.append(f"{count} jobs with {100 * loss:.0f} % lost: {extra} extra executions; "
                    f"{dict(met)}, of which {dict(taken)}")
    assert all(met_in_all[what] for what in ("doubled", "damaged", "lost")), met_in_all
    assert all(taken_in_all[what] for what in ("bad", "seen-before")), taken_in_all
    for host in fleet.all:
        host.await_word(host.worker, "listening to other nodes")
    return "; ".join(said)


# --- F19 -----------------------------------------------------------------------------------------


class Strangers:
    """Workers of as many keys on one host that nobody knows, behind one Kubo."""

    def __init__(self, fleet, count):
        self.fleet = fleet
        self.host = fleet.network.add_host()
        self.host.start_kubo()
        self.host.await_kubo()
        self.host.connect(fleet.origin)
        self.all = list(fleet.pool.map(self.make, range(count)))
        for one in self.all:
            fleet.start_worker(one)
        for one in self.all:
            one.await_word(one.worker, "listening to other nodes", 120)

    def make(self, number):
        one = copy.copy(self.host)
        one.kills, one.stops, one.workers, one.records = [], [], [], []
        one.folder = self.host.folder / f"key{number}"
        one.folder.mkdir()
        one.home = one.folder / "compute"
        one.environment = dict(self.host.environment, IPFS_COMPUTE_PATH=str(one.home))
        one.begin_record("record")
        for host in self.fleet.all:
            one.compute("trust", "add", host.did(), "--name", host.name)
        return one

    def turned_away(self):
        """How many of the keys have come to an honest host's door."""
        logs = "".join(host.logs() for host in self.fleet.all)
        return len(set(re.findall(r"the key (\S+) is not trusted here", logs)))

    def ran(self):
        return {line.split()[1] for one in self.all for line in one.executions()}

    def end(self):
        for one in self.all:
            one.worker.kill()
            one.worker.wait()
        self.host.end()


def mangled(packet, kind, random_):
    """What a stranger makes of a packet that it overheard."""
    data = bytearray(packet)
    if kind == "damaged":
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)
    elif kind == "cut":
        data = data[:random_.randrange(1, len(data))]
    elif kind == "noise":
        data = random_.randbytes(1 + random_.randrange(4000))
    elif kind == "long":  # Near what pubsub carries at most.
        data += bytes(1_000_000)
    return bytes(data)


def publish_what_was_overheard(stranger, packets, count, random_):
    """How many Kubo took: it refuses some where several publish at once."""
    published = 0
    topics = [TOPIC, TOPIC, TOPIC, "ipfs-compute", "ipfs-compute/1/1"]
    kinds = ["replayed", "damaged", "cut", "noise"]
    for number in range(count):
        kind = "long" if number % 20 == 19 else kinds[number % len(kinds)]
        data = mangled(random_.choice(packets), kind, random_)
        try:
            stranger.ipfs("pubsub", "pub", random_.choice(topics), input=data)
            published += 1
        except subprocess.CalledProcessError as error:
            assert b"validation ignored" in error.stderr, error.stderr
    assert published > count / 2, f"Kubo took {published} of {count}"
    return published


def overheard(file):
    texts = [json.loads(line)["data"][1:] for line in file.read_bytes().splitlines()[:60]]
    return [base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for text in texts]


def honest_jobs(fleet, label, count, module):
    """They end as they should; the median and the longest of their times, in ms, extra runs."""
    jobs = fleet.submit_all(label, count, module, "--impure")
    fleet.await_ends(label)
    extra = fleet.check(label, jobs)
    assert set(fleet.states(label)) == set(jobs)
    took = sorted(row[0] for row in fleet.ledger(
        "SELECT j.ended_ms - j.accepted_ms FROM jobs j JOIN labels l USING (seq)"
        " WHERE l.value = ?", label))
    return took[len(took) // 2], took[-1], extra


def strangers(fleet, random_):
    """F19: keys that nobody trusts bid for all, replay, forge, and publish what they like."""
    count, keys = (200, 50) if LONG else (20, 3)
    # So long that there are more than slots: what an idle worker has bid for before is granted
    # without a word to others.
    module = fleet.module(sleep_ms=300)
    before = honest_jobs(fleet, "before strangers", count, module)
    many = Strangers(fleet, keys)
    stranger = many.host
    file = stranger.folder / "overheard"
    with open(file, "wb") as out:
        listener = subprocess.Popen(
            stranger.command(fleet.network.kubo, "pubsub", "sub", "--enc=json", TOPIC),
            env=stranger.environment, stdout=out, stderr=subprocess.DEVNULL)
    try:
        # Honest jobs, for which all strangers bid, while their own wait for somebody.
        forged = [fleet.submit(one, "forged", number, module, "--impure")
                  for number, one in enumerate(many.all)]
        amid = honest_jobs(fleet, "amid strangers", count, module)
        for number in range(10):
            if many.turned_away() == keys:
                break
            honest_jobs(fleet, f"knock{number}", 6 * len(fleet.all), module)
        packets_ = overheard(file)
        assert packets_, "nothing was overheard"
        published = publish_what_was_overheard(stranger, packets_, 200 if LONG else 40, random_)
        after = honest_jobs(fleet, "after strangers", count, module)
        assert many.ran() <= set(forged), "the strangers were given honest jobs"
        executed = fleet.executions()
        assert not [job for job in forged if executed[job]], "an honest host ran a forged job"
        for host in fleet.all:
            assert host.worker.poll() is None, f"{host.name} has ended"
        turned_away = many.turned_away()
        assert turned_away, ("no stranger came to a door: this shows nothing; one said: "
                             + many.all[0].logs())
        times = ", ".join(f"{median}/{most}" for median, most, _ in (before, amid, after))
        return (f"{keys} strange keys of which {turned_away} were turned away at doors; 3 x {count}"
                f" honest jobs before, amid, after: {times} ms in the median/at most, "
                f"{sum(extra for _, _, extra in (before, amid, after))} extra executions; {keys} "
                f"forged jobs ran nowhere else, {published} packets replayed and mangled")
    finally:
        listener.kill()
        listener.wait()
        many.end()
