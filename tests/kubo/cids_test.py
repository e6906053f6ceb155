"""Two hundred generated files and trees have the CIDs that Kubo gives them, in both profiles.

One Kubo daemon, offline, on a free loopback port, answers all of it (RPC `add` with only-hash).
Usage: cids_test.py CID_OF_TREE TOOLS_KUBO. Ends with status 77 (skipped) where Kubo is not built.
"""

import http.client
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

SEED = 20_25
SKIPPED = 77
V0_CHUNK = 262_144
V1_CHUNK = 1_048_576
QUERIES = (
    "cid-version=0&raw-leaves=false&chunker=size-262144&max-file-links=174",
    "cid-version=1&raw-leaves=true&chunker=size-1048576&max-file-links=1024",
)


class Kubo:
    """A daemon in a home of its own, which goes with it."""

    def __init__(self, program, home):
        self.environment = dict(os.environ, IPFS_PATH=str(home))
        self.program = program
        self.call("init", "--profile=test,unixfs-v1-2025")
        self.call("bootstrap", "rm", "--all")
        for key, value in (
            ("Addresses.API", "/ip4/127.0.0.1/tcp/0"),
            ("Addresses.Gateway", "/ip4/127.0.0.1/tcp/0"),
            ("Addresses.Swarm", []),
            ("Discovery.MDNS.Enabled", False),
            ("AutoConf.Enabled", False),
            ("AutoTLS.Enabled", False),
        ):
            self.call("config", "--json", key, json.dumps(value))
        self.log = open(home / "log", "wb")
        self.process = subprocess.Popen(
            [program, "daemon", "--offline"], env=self.environment, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT)
        self.port = self.wait_for_port(home / "api")

    def call(self, *words):
        subprocess.run([self.program, *words], env=self.environment, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def wait_for_port(self, api):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit("the Kubo daemon ended: " + open(self.log.name).read())
            if api.exists() and api.read_text():
                port = int(api.read_text().strip().split("/")[-1])
                try:
                    self.request(port, "version", b"", "text/plain")
                    return port
                except (ConnectionError, http.client.HTTPException):
                    pass
            time.sleep(0.05)
        raise SystemExit("the Kubo daemon is not ready after a minute")

    @staticmethod
    def request(port, call, body, content_type):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request("POST", "/api/v0/" + call, body, {"Content-Type": content_type})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"Kubo answers {call.split('?')[0]} with {answer.status}: {text!r}")
        return text

    def cid(self, path, query):
        boundary = b"a-line-that-no-generated-file-holds-7d31"
        parts = []
        for member in [path, *sorted(path.rglob("*"))]:
            name = urllib.parse.quote(str(member.relative_to(path.parent)), safe="")
            kind = "application/x-directory" if member.is_dir() else "application/octet-stream"
            parts.append(b'--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n'
                         b"Content-Type: %s\r\n\r\n"
                         % (boundary, name.encode(), kind.encode()))
            parts.append(b"" if member.is_dir() else member.read_bytes())
            parts.append(b"\r\n")
        parts.append(b"--%s--\r\n" % boundary)
        text = self.request(
            self.port, "add?only-hash=true&pin=false&progress=false&" + query, b"".join(parts),
            "multipart/form-data; boundary=" + boundary.decode())
        return json.loads(text.splitlines()[-1])["Hash"]

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def file_sizes(source):
    """Around every boundary of both profiles, then any size."""
    sizes = [0, 1, 2, 255, 256]
    for chunk in (V0_CHUNK, V1_CHUNK):
        for count in (1, 2, 3):
            sizes += [count * chunk - 1, count * chunk, count * chunk + 1]
    # One node of 174 links full, and one chunk more: the next level begins.
    sizes += [174 * V0_CHUNK - 1, 174 * V0_CHUNK, 174 * V0_CHUNK + 1, 175 * V0_CHUNK + 7]
    while len(sizes) < 100:
        sizes.append(int(2 ** source.uniform(0, 22)))
    return sizes


def name(source):
    letters = "abcXYZ019 ._-%+&=#?'\"\\äßλ中😀"
    while True:
        text = "".join(source.choice(letters) for _ in range(source.randint(1, 24)))
        if text not in (".", "..") and not text.endswith("\n"):
            return text


def grow(folder, source, depth):
    folder.mkdir()
    for _ in range(source.randint(0, 7)):
        child = folder / name(source)
        if child.exists():
            continue
        if depth > 0 and source.random() < 0.4:
            grow(child, source, depth - 1)
        else:
            child.write_bytes(source.randbytes(int(2 ** source.uniform(0, 14)) - 1))


def wide(folder, lengths):
    """A folder whose entries, one byte each, have names of these lengths."""
    folder.mkdir()
    for index, length in enumerate(lengths):
        (folder / f"{index:0{length}}").write_bytes(b"x")


def generate(root):
    source = random.Random(SEED)
    paths = []
    for index, size in enumerate(file_sizes(source)):
        paths.append(root / f"file {index}")
        paths[-1].write_bytes(source.randbytes(size))
    # In unixfs-v1-2025 a link of these takes 44 bytes and its name, the node 4 more: 262,144 bytes
    # are still one node, 262,145 are shards. The last two are shards in both profiles.
    for lengths in ([20] * 4095 + [16], [20] * 4095 + [17], [20] * 6000, [7] * 9000):
        paths.append(root / f"wide {len(paths)}")
        wide(paths[-1], lengths)
    while len(paths) < 200:
        paths.append(root / f"tree {len(paths)}")
        grow(paths[-1], source, 4)
    return paths


def main():
    helper, tools_kubo = sys.argv[1:]
    found = subprocess.run([tools_kubo, "--if-built"], stdout=subprocess.PIPE, text=True)
    if found.returncode != 0:
        print("skipped: Kubo is not built yet; run tools/kubo (3 minutes, once)")
        return SKIPPED
    root = pathlib.Path(tempfile.mkdtemp(prefix="ic-kubo-"))
    kubo = None
    try:
        (root / "home").mkdir()
        (root / "trees").mkdir()
        paths = generate(root / "trees")
        ours = subprocess.run([helper], input="".join(f"{path}\n" for path in paths), check=True,
                              stdout=subprocess.PIPE, text=True).stdout.splitlines()
        assert len(ours) == len(paths), f"{len(ours)} answers for {len(paths)} paths"
        kubo = Kubo(found.stdout.strip(), root / "home")
        wrong = 0
        for path, line in zip(paths, ours):
            for cid, query in zip(line.split(), QUERIES):
                theirs = kubo.cid(path, query)
                if theirs != cid:
                    wrong += 1
                    print(f"{path.name} (seed {SEED}), {query}: ours {cid}, Kubo's {theirs}")
        print(f"{len(paths)} files and trees in 2 profiles, {wrong} differ from Kubo")
        return 1 if wrong else 0
    finally:
        if kubo:
            kubo.end()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
