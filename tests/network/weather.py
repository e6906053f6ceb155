#!/usr/bin/env python3
"""Bad cables: what goes over them is lost, doubled, delayed, out of order, or damaged.

    weather.py JSON LEFT RIGHT [LEFT RIGHT...]

Carries frames between each LEFT and RIGHT, two devices of this namespace, both ways, with
{"seed", "loss", "double", "late_ms": [least, most], "reorder", "damage", "damage_not_port"} as
JSON. Chances are of 1. What is reordered overtakes all that waits. Damaged is one bit of the data
of a TCP segment, which the receiver's TCP cannot see; not of ports of `damage_not_port`. On SIGTERM
it prints how much met what, as JSON.

In user space, so that it works on every kernel; each direction has random numbers of its own.
"""

import collections
import heapq
import json
import random
import selectors
import signal
import socket
import sys
import time

SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
ETH_P_ALL = 3
#: virtio_net_hdr: says of large frames how they are to be cut, of others who computes checksums.
HEAD = 10
FRAME_BYTES_MAX = HEAD + 14 + 65536


def open_device(name):
    device = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    device.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    device.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    device.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    device.setblocking(False)
    device.bind((name, ETH_P_ALL))
    return device


def data_of_tcp(frame, not_ports):
    """Where the data of a TCP segment over IPv4 begins and ends; None if it has none."""
    ip = HEAD + 14
    if len(frame) < ip + 20 or frame[ip - 2:ip] != b"\x08\x00" or frame[ip + 9] != 6:
        return None
    tcp = ip + 4 * (frame[ip] & 15)
    if len(frame) < tcp + 20:
        return None
    ports = {int.from_bytes(frame[at:at + 2], "big") for at in (tcp, tcp + 2)}
    if ports & set(not_ports):
        return None
    begin = tcp + 4 * (frame[tcp + 12] >> 4)
    end = min(len(frame), ip + int.from_bytes(frame[ip + 2:ip + 4], "big"))
    return (begin, end) if begin < end else None


class Direction:
    def __init__(self, weather, source, target, random_):
        self.weather, self.source, self.target, self.random = weather, source, target, random_

    def take(self, waiting, counts):
        weather, chance = self.weather, self.random.random
        while True:
            try:
                frame = self.source.recv(FRAME_BYTES_MAX)
            except OSError:  # Nothing more, or the cable is out.
                return
            counts["frames"] += 1
            if chance() < weather["loss"]:
                counts["lost"] += 1
                continue
            if chance() < weather["damage"]:
                span = data_of_tcp(frame, weather["damage_not_port"])
                if span:
                    frame = bytearray(frame)
                    frame[self.random.randrange(*span)] ^= 1 << self.random.randrange(8)
                    counts["damaged"] += 1
            copies = 1
            if chance() < weather["double"]:
                counts["doubled"] += 1
                copies = 2
            for _ in range(copies):
                late = self.random.uniform(*weather["late_ms"]) / 1000
                if chance() < weather["reorder"]:
                    counts["reordered"] += 1
                    late = 0
                counts["sent"] += 1
                heapq.heappush(waiting, (time.monotonic() + late, counts["sent"], self.target,
                                         bytes(frame)))


def main():
    weather = json.loads(sys.argv[1])
    names = sys.argv[2:]
    counts = collections.Counter()
    selector = selectors.DefaultSelector()
    for number, (left, right) in enumerate(zip(names[::2], names[1::2])):
        ends = open_device(left), open_device(right)
        for way, (source, target) in enumerate((ends, ends[::-1])):
            random_ = random.Random(f"{weather['seed']} {number} {way}")
            selector.register(source, selectors.EVENT_READ,
                              Direction(weather, source, target, random_))

    def end(*_):
        print(json.dumps(counts), flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    waiting = []
    while True:
        wait = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for key, _ in selector.select(wait):
            key.data.take(waiting, counts)
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, target, frame = heapq.heappop(waiting)
            try:
                target.send(frame)
            except OSError:
                counts["refused"] += 1  # A cable that is out, a queue that is full.


if __name__ == "__main__":
    main()
