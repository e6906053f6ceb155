"""What cat, ls and get give is what Kubo's give, read through Kubo's own trustless gateway.

One Kubo daemon, offline, holds the content; ours has an empty home and knows nothing but gateways.
Usage: reading_test.py IPFS_COMPUTE TOOLS_KUBO. Ends with status 77 (skipped) where Kubo is not
built.
"""

import gzip
import http.server
import os
import random
import subprocess
import sys
import threading
import urllib.request

import rpc

SEED = 20_43
LS_FLAGS = ([], ["-v"], ["-l"], ["-l", "-v"], ["-s"], ["-s", "-v"], ["-s", "-l"], ["--size=false"],
            ["--size=false", "-l", "-v"], ["--resolve-type=false", "--size=false"],
            ["--resolve-type=false", "--size=false", "-v", "-l"], ["--resolve-type=false"])
RANGES = ((0, None), (1, None), (0, 1), (1_048_575, 2), (262_143, 1_500_000), (2_999_999, 10),
          (3_000_000, 10), (3_000_001, 10), (0, 0), (0, 10_000_000))


def name(source):
    letters = "abcXYZ019 ._-%+&=#?'\"\\äßλ中😀"
    while True:
        text = "".join(source.choice(letters) for _ in range(source.randint(1, 24)))
        if text not in (".", ".."):
            return text


class Failures:
    def __init__(self):
        self.count = 0
        self.checks = 0

    def check(self, same, what):
        self.checks += 1
        if not same:
            self.count += 1
            print("differs:", what)


class Front(http.server.ThreadingHTTPServer):
    """A gateway in front of Kubo's: `alter` says what becomes of a body."""

    def __init__(self, behind, alter):
        self.behind, self.alter, self.paths = behind, alter, []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.paths.append(self.path)
        request = urllib.request.Request(self.server.behind + self.path,
                                         headers={"Accept": self.headers["Accept"]})
        with urllib.request.urlopen(request, timeout=60) as answer:
            body, kind = answer.read(), answer.headers["Content-Type"]
        sent = self.server.alter(self.server.paths, body)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *words):
        pass


def plant(root):
    """A tree with every kind of entry, each with a mode and a time of its own."""
    source = random.Random(SEED)
    tree = root / "tree"
    (tree / "sub" / "deeper").mkdir(parents=True)
    (tree / "empty").mkdir()
    (tree / "large").write_bytes(source.randbytes(3_000_000))
    (tree / "small").write_bytes(b"hello\n")
    (tree / "nothing").write_bytes(b"")
    (tree / "sub" / "deeper" / "file").write_bytes(source.randbytes(1000))
    (tree / "sub" / ("n" * 120)).write_bytes(b"long name")
    (tree / "sub" / ("n" * 90 + "ä" * 20)).write_bytes(b"long name that is not ASCII")
    (tree / "sub" / "tab\there \\ and \x01 \u200b").write_bytes(b"odd name")
    (tree / "link").symlink_to("small")
    (tree / "sub" / "long link").symlink_to("../" + "t" * 150)
    (tree / "sub" / "ä link").symlink_to("ziel-ö")
    for _ in range(12):
        (tree / "sub" / "deeper" / name(source)).write_bytes(source.randbytes(100))
    for index, path in enumerate([tree, *sorted(tree.rglob("*"))]):
        if not path.is_symlink():
            path.chmod(source.choice([0o600, 0o644, 0o640, 0o755, 0o711])
                       if path.is_file() else source.choice([0o700, 0o755, 0o711]))
    for index, path in enumerate([*sorted(tree.rglob("*")), tree]):
        when = source.choice([1, 1_000_000_000, 1_790_000_000, 1_760_000_000]) + index
        os.utime(path, ns=(0, when * 10**9 + source.choice([0, 499_999_999, 500_000_000])),
                 follow_symlinks=False)
    wide = root / "wide"
    wide.mkdir()
    for index in range(6000):
        (wide / f"entry number {index} of a directory that is sharded").write_bytes(b"%d" % index)
    return tree, wide


def listing(folder):
    """Everything that a restored tree says of itself."""
    found = []
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        content = (os.readlink(path) if path.is_symlink() else
                   path.read_bytes() if path.is_file() else None)
        found.append((str(path.relative_to(folder)), oct(status.st_mode), status.st_mtime_ns,
                      content))
    return found


def without_times(found):
    return [(path, mode, content) for path, mode, _, content in found]


class Comparison:
    def __init__(self, program, kubo, root, failures):
        self.program, self.kubo, self.root, self.failures = program, kubo, root, failures
        self.gateway = (root / "kubo" / "gateway").read_text().strip().rstrip("/")
        self.homes = 0

    def fresh_home(self):
        self.homes += 1
        return self.root / f"ours {self.homes}"

    def ours(self, words, home=None, gateways=None):
        flags = [flag for url in gateways or [self.gateway] for flag in ("--gateway", url)]
        return subprocess.run(
            [self.program, *words, *flags, "--set", "kubo=off", "--home", home or self.home],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def theirs(self, words):
        return subprocess.run([self.kubo.program, *words], env=self.kubo.environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)

    def add(self, path, *flags):
        added = self.theirs(["add", "-r", "-Q", "--pin=false", *flags, str(path)])
        assert added.returncode == 0, added
        return added.stdout.decode().strip()

    def same_output(self, words):
        ours, theirs = self.ours(words), self.theirs(words)
        self.failures.check(
            ours.stdout == theirs.stdout and (ours.returncode == 0) == (theirs.returncode == 0),
            f"{words}:\n{ours.stdout[:600]!r} {ours.stderr!r}\n{theirs.stdout[:600]!r} "
            f"{theirs.stderr!r}")

    def cat_and_ls(self, root, wide):
        for offset, length in RANGES:
            words = ["cat", f"{root}/large", "--offset", str(offset)]
            self.same_output(words + (["--length", str(length)] if length is not None else []))
        for words in (["cat", f"{root}/small", f"{root}/large", f"{root}/small"],
                      ["cat", "-o", "3", "-l", "3000010", f"{root}/small", f"{root}/large",
                       f"{root}/small", f"{root}/large"],
                      ["cat", "-o", "3000010", f"{root}/large", f"{root}/small", f"{root}/small"],
                      ["cat", f"{root}/link"], ["cat", root], ["cat", f"{root}/none"],
                      ["cat", f"/ipfs/{root}/sub/deeper/file"],
                      ["cat", f"{wide}/entry number 4711 of a directory that is sharded"]):
            self.same_output(words)
        for flags in LS_FLAGS:
            for path in (root, f"{root}/sub", f"{root}/sub/deeper", f"{root}/large",
                         f"{root}/small", f"{root}/empty", f"{root}/link"):
                self.same_output(["ls", *flags, path])
            self.same_output(["ls", *flags, root, f"{root}/sub", f"{root}/empty", root])
        self.same_output(["ls", wide])

    def get(self, root):
        for flags in (["-a"], ["-a", "-C"], ["-a", "-C", "-l", "9"]):
            ours, theirs = self.root / "ours.tar", self.root / "theirs.tar"
            suffix = ".gz" if "-C" in flags else ""
            printed = self.ours(["get", *flags, root, "-o", str(ours)])
            self.theirs(["get", *flags, root, "-o", str(theirs)])
            self.failures.check(printed.stdout.decode() == f"Saving archive to {ours}{suffix}\n",
                                printed)
            read = gzip.open if suffix else open
            with read(f"{ours}{suffix}", "rb") as a, read(f"{theirs}{suffix}", "rb") as b:
                self.failures.check(a.read() == b.read(), f"get {flags}")
        for entry in ("large", "small", "link"):
            ours, theirs = self.root / f"o-{entry}.gz", self.root / f"t-{entry}.gz"
            self.ours(["get", "-C", f"{root}/{entry}", "-o", str(ours)])
            self.theirs(["get", "-C", f"{root}/{entry}", "-o", str(theirs)])
            self.failures.check(gzip.open(ours).read() == gzip.open(theirs).read(), f"-C {entry}")
        ours, theirs = self.root / "got ours", self.root / "got theirs"
        printed = self.ours(["get", root, "-o", str(ours)])
        self.failures.check(printed.stdout.decode() == f"Saving file(s) to {ours}\n", printed)
        self.theirs(["get", root, "-o", str(theirs)])
        self.failures.check(listing(ours) == listing(theirs), "get, modes and times")
        self.failures.check(listing(ours) == listing(self.root / "tree"), "get, the tree itself")
        again = self.ours(["get", root, "-o", str(ours)])
        self.failures.check(again.returncode == 0 and listing(ours) == listing(theirs), again)
        for words in (["get", "-C", root], ["get", "-C", "-l", "0", f"{root}/small"]):
            self.failures.check(self.ours(words).returncode != 0 and
                                self.theirs(words).returncode != 0, words)

    def plain(self, plain):
        """Without modes and times in the DAG."""
        ours, theirs = self.root / "plain ours", self.root / "plain theirs"
        self.ours(["get", plain, "-o", str(ours)])
        self.theirs(["get", plain, "-o", str(theirs)])
        self.failures.check(without_times(listing(ours)) == without_times(listing(theirs)),
                            "get without modes and times")

    def gateways(self, root):
        large = (self.root / "tree" / "large").read_bytes()
        # One that cuts its first two CARs in the middle; a second one is not needed.
        def cut(paths, body):
            cars = sum("format=car" in path for path in paths)
            return body[:len(body) // 2] if "format=car" in paths[-1] and cars < 3 else body

        cutting = Front(self.gateway, cut)
        got = self.ours(["cat", f"{root}/large"], self.fresh_home(), [cutting.url()])
        self.failures.check(got.stdout == large, ("cut", got.stderr, cutting.paths))
        self.failures.check(any("entity-bytes" in path for path in cutting.paths), cutting.paths)
        # One that changes a byte: named and dropped, and Kubo's serves.
        lying = Front(self.gateway, lambda paths, body: body[:-1] + bytes([body[-1] ^ 1]))
        got = self.ours(["cat", f"{root}/large"], self.fresh_home(), [lying.url(), self.gateway])
        self.failures.check(got.stdout == large, ("lies", got.stderr))
        self.failures.check(f"gateway {lying.url()} is not asked any more".encode() in got.stderr,
                            got.stderr)
        alone = self.ours(["cat", f"{root}/large"], self.fresh_home(), [lying.url()])
        self.failures.check(alone.returncode == 124 and lying.url().encode() in alone.stderr, alone)
        # Two honest ones.
        second = Front(self.gateway, lambda paths, body: body)
        place = self.root / "raced"
        got = self.ours(["get", root, "-o", str(place)], self.fresh_home(),
                        [second.url(), self.gateway])
        self.failures.check(listing(place) == listing(self.root / "tree"), got.stderr)
        # What is here is not asked for again.
        asked = len(second.paths)
        home = self.fresh_home()
        self.ours(["cat", f"{root}/large"], home, [second.url()])
        self.failures.check(len(second.paths) > asked, "nothing was asked for")
        asked = len(second.paths)
        got = self.ours(["cat", f"{root}/large"], home, [second.url()])
        self.failures.check(got.stdout == large and len(second.paths) == asked, "asked for twice")
        probe = self.ours(["block", "get", "bafkqaaa"], self.fresh_home())
        self.failures.check(probe.stdout == b"" and probe.returncode == 0, probe)


def compare(program, kubo, root):
    os.umask(0o022)
    tree, wide = plant(root)
    failures = Failures()
    comparison = Comparison(program, kubo, root, failures)
    comparison.home = comparison.fresh_home()
    kept = comparison.add(tree, "--preserve-mode", "--preserve-mtime", "--raw-leaves=false")
    plain = comparison.add(tree)
    sharded = comparison.add(wide)
    comparison.cat_and_ls(kept, sharded)
    comparison.get(kept)
    comparison.plain(plain)
    comparison.gateways(kept)
    print(f"{failures.checks} comparisons with Kubo, {failures.count} differ")
    return failures.count


if __name__ == "__main__":
    sys.exit(rpc.run(compare))
