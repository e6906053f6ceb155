#!/usr/bin/env python3
"""A gate between a worker and its Kubo: it holds the answer that results are there.

    gate.py PORT KUBO_PORT

Everything passes, to KUBO_PORT of this host and back. Once the line `hold` was read, the next
whole answer to `dag/import` is kept back and `held` is printed: Kubo has what the worker gave to
it, and the worker does not know. `drop` closes that connection. `pass` instead of `hold` prints
`passed` when the answer was handed on.
"""

import re
import socket
import sys
import threading

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


class Connection:
    def __init__(self, gate, client, kubo):
        self.gate, self.client, self.kubo = gate, client, kubo
        self.is_importing = False
        self.answer = b""

    def close(self):
        for end in (self.client, self.kubo):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def requests(self):
        tail = b""
        try:
            while data := self.client.recv(1 << 16):
                if IMPORT in tail + data:
                    self.is_importing = True
                tail = data[-len(IMPORT):]
                self.kubo.sendall(data)
        except OSError:
            pass
        self.close()

    def answers(self):
        try:
            while data := self.kubo.recv(1 << 16):
                if not self.is_importing:
                    self.client.sendall(data)
                elif self.is_whole(data):
                    self.is_importing = False
                    whole, self.answer = self.answer, b""
                    if not self.hand_on(whole):
                        return
        except OSError:
            pass
        self.close()

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
    listener = socket.create_server(("127.0.0.1", port))
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        try:
            kubo = socket.create_connection(("127.0.0.1", kubo_port), timeout=10)
        except OSError:
            client.close()  # No Kubo: refused, as near as may be.
            continue
        kubo.settimeout(None)
        connection = Connection(gate, client, kubo)
        for direction in (connection.requests, connection.answers):
            threading.Thread(target=direction, daemon=True).start()


if __name__ == "__main__":
    main()
