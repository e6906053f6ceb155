"""What stands between a worker and its Kubo: gate.py and bad_topic.py are made of it."""

import socket
import threading


class Connection:
    """A worker's connection and the one to Kubo that goes with it; bytes pass both ways."""

    #: In a request's first line: `is_watched` is true from when it was passed on.
    WATCHED = b""

    def __init__(self, client, kubo):
        self.client, self.kubo = client, kubo
        self.is_watched = False

    def requests(self):
        tail = b""
        try:
            while data := self.client.recv(1 << 16):
                if self.WATCHED in tail + data:
                    self.is_watched = True
                tail = data[-len(self.WATCHED):]
                self.kubo.sendall(data)
        except OSError:
            pass
        self.close()

    def answers(self):
        """Passes on what Kubo says, until the connection is over."""
        raise NotImplementedError

    def answers_to_the_end(self):
        try:
            self.answers()
        except (OSError, ValueError):
            pass
        self.close()

    def close(self):
        for end in (self.client, self.kubo):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(port, kubo_port, make_connection):
    """For ever, from PORT to KUBO_PORT of this host; says when it is ready."""
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
        connection = make_connection(client, kubo)
        for direction in (connection.requests, connection.answers_to_the_end):
            threading.Thread(target=direction, daemon=True).start()
