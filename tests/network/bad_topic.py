#!/usr/bin/env python3
"""A proxy before a Kubo whose pubsub is bad: what a subscription brings is lost, doubled, damaged,
up to seconds late and so out of order.

    bad_topic.py JSON PORT KUBO_PORT

Everything passes, to KUBO_PORT of this host and back, but for the messages of `pubsub/sub`, with
{"seed", "loss", "double", "damage", "late_s": [least, most]} as JSON; chances are of 1. Damaged is
one bit of a message's data, as no cable would do it: libp2p's signatures are behind us. On SIGTERM
it prints how many messages met what, as JSON.
"""

import base64
import collections
import heapq
import itertools
import json
import random
import signal
import socket
import sys
import threading
import time

import proxy

SUBSCRIBE = b"/api/v0/pubsub/sub"
HEAD_BYTES_MAX = 1 << 14


class Late:
    """What waits for its time, and is sent then."""

    def __init__(self):
        self.waiting = []
        self.number = itertools.count()
        self.changed = threading.Condition()
        threading.Thread(target=self.run, daemon=True).start()

    def add(self, late_s, call, what):
        with self.changed:
            heapq.heappush(self.waiting, (time.monotonic() + late_s, next(self.number), call, what))
            self.changed.notify()

    def run(self):
        while True:
            with self.changed:
                while not self.waiting or self.waiting[0][0] > time.monotonic():
                    self.changed.wait(self.waiting[0][0] - time.monotonic()
                                      if self.waiting else None)
                _, _, call, what = heapq.heappop(self.waiting)
            try:
                call(what)
            except OSError:
                pass  # Whoever listened is gone.


class Weather:
    def __init__(self, wish):
        self.wish = wish
        self.random = random.Random(str(wish["seed"]))
        self.counts = collections.Counter()
        self.lock = threading.Lock()
        self.late = Late()

    def pass_on(self, line, send):
        """A message, one line of JSON, to `send` or to nobody; now or later."""
        with self.lock:
            chance = self.random.random
            self.counts["messages"] += 1
            if chance() < self.wish["loss"]:
                self.counts["lost"] += 1
                return
            if chance() < self.wish["damage"]:
                line = self.damaged(line)
            copies = 1
            if chance() < self.wish["double"]:
                self.counts["doubled"] += 1
                copies = 2
            for _ in range(copies):
                self.late.add(self.random.uniform(*self.wish["late_s"]), self.hand_over,
                              (send, line))

    def hand_over(self, what):
        send, line = what
        with self.lock:  # So that what is counted last is handed over, and the other way round.
            send(line)
            self.counts["handed over"] += 1

    def damaged(self, line):
        message = json.loads(line)
        text = message["data"][1:]  # Multibase: u, base64url.
        data = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not data:
            return line
        self.counts["damaged"] += 1
        data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)
        message["data"] = "u" + base64.urlsafe_b64encode(bytes(data)).decode().rstrip("=")
        return json.dumps(message).encode() + b"\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def carry_messages(weather, kubo, client):
    """From the answer of `pubsub/sub`, chunked, to the client."""
    answer = kubo.makefile("rb")
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = answer.readline(HEAD_BYTES_MAX)
        if not line:
            return
        head += line
    client.sendall(head)
    if b"transfer-encoding: chunked" not in head.lower():
        while data := answer.read1(1 << 16):
            client.sendall(data)
        return
    send_lock = threading.Lock()

    def send(data):
        with send_lock:
            client.sendall(chunk(data))

    line = b""
    while size := int(answer.readline() or b"0", 16):
        line += answer.read(size)
        answer.readline()
        *whole, line = line.split(b"\n")
        for one in whole:
            weather.pass_on(one + b"\n", send)


class Connection(proxy.Connection):
    WATCHED = SUBSCRIBE  # It is a connection's last request.

    def __init__(self, weather, client, kubo):
        super().__init__(client, kubo)
        self.weather = weather

    def answers(self):
        # The answer to a request comes after it: which one it was is known before it is read.
        while self.kubo.recv(1, socket.MSG_PEEK):
            if self.is_watched:
                carry_messages(self.weather, self.kubo, self.client)
                return
            self.client.sendall(self.kubo.recv(1 << 16))


def main():
    weather = Weather(json.loads(sys.argv[1]))
    port, kubo_port = map(int, sys.argv[2:])

    def end(*_):
        weather.lock.acquire()
        print(json.dumps(weather.counts), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    proxy.serve(port, kubo_port, lambda client, kubo: Connection(weather, client, kubo))


if __name__ == "__main__":
    main()
