#!/usr/bin/env python3
"""A gate between a worker and its Kubo: it holds the answer that results are there.

    gate.py PORT KUBO_PORT

Everything passes, to KUBO_PORT of this host and back. Once the line `hold` was read, the next
whole answer to `dag/import` is kept back and `held` is printed: Kubo has what the worker gave to
it, and the worker does not know. `drop` closes that connection. `pass` instead of `hold` prints
`passed` when the answer was handed on.
"""

import re
import sys
import threading

import proxy

IMPORT = b"/api/v0/dag/import"
#: The last chunk of an answer, with or without fields after it.
END = re.compile(rb"\r\n0\r\n(?:[^\r\n]+\r\n)*\r\n$")


class Gate:
    def __init__(self):
        self.lock = threading.Lock()
        self.wish = None
        self.held = None

    def take_wish(self):
        with self.lock:
            wish, self.wish = self.wish, None
            return wish

    def read_wishes(self):
        for line in sys.stdin:
            word = line.strip()
            with self.lock:
                if word == "drop":
                    if self.held:
                        self.held.close()
                    self.held = None
                else:
                    self.wish = word if word in ("hold", "pass") else None


class Connection(proxy.Connection):
    WATCHED = IMPORT

    def __init__(self, gate, client, kubo):
        super().__init__(client, kubo)
        self.gate = gate
        self.answer = b""

    def answers(self):
        while data := self.kubo.recv(1 << 16):
            if not self.is_watched:
                self.client.sendall(data)
            elif self.is_whole(data):
                self.is_watched = False
                whole, self.answer = self.answer, b""
                if not self.hand_on(whole):
                    while self.kubo.recv(1 << 16):  # Until it is dropped.
                        pass

    def is_whole(self, data):
        self.answer += data
        if self.answer.startswith(b"HTTP/1.1 100"):
            self.client.sendall(self.answer)  # Go on, it says.
            self.answer = b""
            return False
        return bool(END.search(self.answer))

    def hand_on(self, whole):
        """Whether it was."""
        wish = self.gate.take_wish() if b" 200 " in whole[:32] else None
        if wish == "hold":
            with self.gate.lock:
                self.gate.held = self
            print("held", flush=True)
            return False
        self.client.sendall(whole)
        if wish == "pass":
            print("passed", flush=True)
        return True


def main():
    port, kubo_port = map(int, sys.argv[1:])
    gate = Gate()
    threading.Thread(target=gate.read_wishes, daemon=True).start()
    proxy.serve(port, kubo_port, lambda client, kubo: Connection(gate, client, kubo))


if __name__ == "__main__":
    main()
