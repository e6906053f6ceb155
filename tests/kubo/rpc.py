"""A Kubo daemon for tests: offline unless it is told otherwise, on a free loopback port, in a home
of its own."""

import http.client
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

SKIPPED = 77

BOUNDARY = b"a-line-that-no-generated-file-holds-7d31"


class Refused(Exception):
    """Kubo answered with an error; its words."""


def known_profiles(program, profiles):
    """Kubo 0.39 has another name for what 0.40 calls unixfs-v1-2025, as far as files go."""
    version = subprocess.run([program, "version", "-n"], check=True, stdout=subprocess.PIPE).stdout
    return profiles.replace("unixfs-v1-2025", "test-cid-v1") if version < b"0.40" else profiles


class Kubo:
    """Goes with `end`. `settings`: of its config, beside those of a quiet, lonely node."""

    def __init__(self, program, home, profiles="test,unixfs-v1-2025", settings=(),
                 flags=("--offline",)):
        self.environment = dict(os.environ, IPFS_PATH=str(home))
        self.program = program
        self.run("init", "--profile=" + known_profiles(program, profiles))
        self.run("bootstrap", "rm", "--all")
        for key, value in (
            ("Addresses.API", "/ip4/127.0.0.1/tcp/0"),
            ("Addresses.Gateway", "/ip4/127.0.0.1/tcp/0"),
            ("Addresses.Swarm", []),
            ("Discovery.MDNS.Enabled", False),
            ("AutoConf.Enabled", False),
            ("AutoTLS.Enabled", False),
            *settings,
        ):
            self.run("config", "--json", key, json.dumps(value))
        self.home = home
        self.flags = flags
        self.start()

    def start(self):
        """Again, after `end`."""
        (self.home / "api").unlink(missing_ok=True)
        self.log = open(self.home / "log", "ab")
        self.process = subprocess.Popen(
            [self.program, "daemon", *self.flags], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT)
        self.port = None
        self.wait_for(self.home / "api")

    def run(self, *words, input=b""):
        """The command line: standard output, whole."""
        return subprocess.run([self.program, *words], env=self.environment, check=True,
                              input=input, stdout=subprocess.PIPE).stdout

    def wait_for(self, api):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit("the Kubo daemon ended: " + open(self.log.name).read())
            if api.exists() and api.read_text():
                self.port = int(api.read_text().strip().split("/")[-1])
                try:
                    self.call("version")
                    return
                except Refused:
                    return  # It wants a token.
                except (ConnectionError, http.client.HTTPException):
                    pass
            time.sleep(0.05)
        raise SystemExit("the Kubo daemon is not ready after a minute")

    def ask(self, command, parts=(), content_type="text/plain"):
        """Status and text of an RPC, what came as a trailer at its end; the body is `parts` one
        after the other."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        size = sum(len(part) for part in parts)
        connection.request("POST", "/api/v0/" + command, iter(parts),
                           {"Content-Type": content_type, "Content-Length": str(size)})
        answer = connection.getresponse()
        text = answer.read()
        trailer = answer.headers.get("X-Stream-Error", "")
        connection.close()
        return answer.status, text + trailer.encode()

    def call(self, command, body=b"", content_type="text/plain"):
        """The answer to an RPC. Raises Refused."""
        status, text = self.ask(command, (body,), content_type)
        if status != 200:
            raise Refused(text.decode(errors="replace"))
        return text

    def upload(self, command, parts):
        """The answer to a command that takes files: (name, bytes), None for a directory."""
        body = []
        for name, content in parts:
            kind = b"application/x-directory" if content is None else b"application/octet-stream"
            body.append(b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n'
                        b"Content-Type: %s\r\n\r\n"
                        % (BOUNDARY, urllib.parse.quote(name, safe="").encode(), kind))
            body.append(content or b"")
            body.append(b"\r\n")
        body.append(b"--%s--\r\n" % BOUNDARY)
        return self.call(command, b"".join(body),
                         "multipart/form-data; boundary=" + BOUNDARY.decode())

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def built(tools_kubo):
    """The path of Kubo's program; None, and says what to do, where it is not built."""
    found = subprocess.run([tools_kubo, "--if-built"], stdout=subprocess.PIPE, text=True)
    if found.returncode == 0:
        return found.stdout.strip()
    print("skipped: Kubo is not built yet; run tools/kubo (3 minutes, once)")
    return None


def run(compare):
    """The whole of a comparison: IPFS_COMPUTE TOOLS_KUBO on the command line; `compare` is called
    with the program, a Kubo and an empty folder, and gives how much differs. The exit status."""
    program, tools_kubo = sys.argv[1:]
    found = built(tools_kubo)
    if not found:
        return SKIPPED
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ic-kubo-"))
    kubo = None
    try:
        (folder / "kubo").mkdir()
        kubo = Kubo(found, folder / "kubo")
        return 1 if compare(program, kubo, folder) else 0
    finally:
        if kubo:
            kubo.end()
        shutil.rmtree(folder, ignore_errors=True)
