"""`pin`, `repo` and `block` beside a real Kubo with the same content: what each prints, and what a
damaged store becomes when `repo verify --repair` fetches from that Kubo.

Usage: store_test.py IPFS_COMPUTE TOOLS_KUBO. Ends with status 77 (skipped) where Kubo is not built.
IC_STORE_SEED gives other damage.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys

import rpc

SEED = int(os.environ.get("IC_STORE_SEED", "21"))
DAMAGED_STORES = 60


class Comparison:
    """Both add the same tree; then each command is given to both."""

    def __init__(self, program, kubo, folder):
        self.program, self.kubo, self.folder = program, kubo, folder
        self.checks = self.wrong = 0
        self.api = f"kubo=http://127.0.0.1:{kubo.port}"
        source = random.Random(SEED)
        tree = folder / "tree"
        (tree / "sub").mkdir(parents=True)
        (tree / "large").write_bytes(source.randbytes(3_000_000))
        for index in range(40):
            (tree / "sub" / f"{index:02}").write_bytes(source.randbytes(index * 37))
        self.tree = tree
        self.root = self.same(["add", "-r", "-Q", "--pin=false", str(tree)]).decode().strip()

    def ours(self, words, home="ours", kubo="kubo=off", data=b""):
        environment = dict(os.environ, IPFS_COMPUTE_PATH=str(self.folder / home))
        return subprocess.run([self.program, *words, "--set", kubo], env=environment, input=data,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def theirs(self, words, data=b""):
        return subprocess.run([self.kubo.program, *words], env=self.kubo.environment, input=data,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def check(self, holds, what):
        self.checks += 1
        if not holds:
            self.wrong += 1
            print(f"(seed {SEED})", what)

    def same(self, words, theirs=None, data=b"", key=lambda text: text):
        """Gives our output. `theirs`: words of Kubo's where they differ; `key`: what is compared
        of an output."""
        one, other = self.ours(words, data=data), self.theirs(theirs or words, data)
        self.check(key(one.stdout) == key(other.stdout)
                   and (one.returncode == 0) == (other.returncode == 0),
                   f"{words}: ours {one.stdout!r:.400} {one.stderr!r:.400}, Kubo's "
                   f"{other.stdout!r:.400} {other.stderr!r:.400}")
        return one.stdout

    def refused_alike(self, words):
        """Both end with an error, and ours has all of Kubo's sentence in it."""
        one, other = self.ours(words), self.theirs(words)
        sentence = other.stderr.decode().strip().splitlines()[0].removeprefix("Error: ")
        self.check(one.returncode and other.returncode and one.stdout == other.stdout == b""
                   and sentence in one.stderr.decode(),
                   f"{words}: ours {one.stderr!r:.400}, Kubo's {other.stderr!r:.400}")

    # ---- Commands

    def pins(self):
        def lines(text):
            return sorted(text.splitlines())

        for pin in self.theirs(["pin", "ls", "-q"]).stdout.split():
            self.theirs(["pin", "rm", pin.decode()])  # What Kubo pins in a new home.

        root, large = self.root, f"{self.root}/large"
        small = self.same(["dag", "resolve", f"{root}/sub/01"]).decode().strip()
        self.same(["pin", "add", root])
        self.same(["pin", "add", root])
        self.same(["pin", "add", "-r=false", large])
        self.same(["pin", "add", "--name", "of two", small])
        for words in ([], ["-q"], ["--names"], ["-t", "recursive"], ["-t", "direct"],
                      ["-t", "indirect"], ["-t", "all", "--names"], ["-n", "two"],
                      ["--name", "none"], ["-t", "recursive", "-q"], ["-s", "-t", "recursive"]):
            self.same(["pin", "ls", *words], key=lines)
        for path in (root, large, small, f"{root}/sub", f"{root}/sub/02"):
            self.same(["pin", "ls", path])
            self.same(["pin", "ls", "-q", path])
        self.refused_alike(["pin", "ls", "-t", "direct", root])
        self.refused_alike(["pin", "rm", f"{root}/sub/03"])
        self.refused_alike(["pin", "rm", "-r=false", root])
        self.refused_alike(["pin", "add", "-r=false", root])
        self.same(["pin", "update", root, f"{root}/sub"])
        self.refused_alike(["pin", "update", root, f"{root}/sub"])
        self.same(["pin", "ls", "-t", "recursive", "--names"], key=lines)
        self.same(["pin", "add", root, f"{root}/sub/04"])
        self.same(["pin", "rm", f"{root}/sub", f"{root}/sub/04", small])
        self.same(["pin", "rm"], data=(large + "\n").encode())
        self.same(["pin", "add"], data=f"{root}/sub/05\n{root}/sub/06\n".encode())
        self.same(["pin", "rm", f"{root}/sub/05", f"{root}/sub/06"])
        self.same(["pin", "ls"], key=lines)

    def repository(self):
        def labels(text):
            return [line.split()[0] for line in text.decode().splitlines()]

        def removed(text):
            return sorted(text.splitlines())

        for words in ([], ["-s"], ["-H"], ["-s", "--human"]):
            self.same(["repo", "stat", *words], key=labels)
        objects = re.search(rb"NumObjects: +(\d+)\n", self.ours(["repo", "stat"]).stdout)
        self.check(objects and int(objects[1]) > 40, objects)
        # Kubo writes its progress between carriage returns, to a pipe too.
        self.same(["repo", "verify"], key=lambda text: text.split(b"\r")[-1].strip())
        garbage = [self.same(["block", "put"], data=b"garbage %d" % index).decode().strip()
                   for index in range(20)]
        # Kubo comes with content of its own, which goes too: only what both had is compared.
        for words in ([], ["-q"]):
            ours, theirs = (removed(run(["repo", "gc", *words]).stdout)
                            for run in (self.ours, self.theirs))
            self.check(len(ours) == len(garbage) and set(ours) <= set(theirs), (ours, theirs))
            for index in range(20):
                self.same(["block", "put"], data=b"garbage %d" % index)
        self.check(self.ours(["repo", "gc", "--silent"]).stdout
                   == self.theirs(["repo", "gc", "--silent"]).stdout == b"", "gc --silent")
        self.same(["cat", f"{self.root}/large"])

    def blocks(self):
        node = b"\x12\x00\x0a\x02\x08\x01"  # No canonical dag-pb: links come first, and are empty.
        for words in ([], ["--cid-codec", "dag-cbor"], ["--mhtype", "sha2-512"],
                      ["--cid-codec", "raw", "--mhtype", "blake3"], ["--pin"]):
            cid = self.same(["block", "put", *words], data=b"\xa1aa\x01").decode().strip()
            self.same(["block", "stat", cid])
            self.same(["block", "get", cid])
        self.same(["block", "put", "--cid-codec", "dag-pb"], data=node)
        self.same(["block", "put"], data=b"")
        self.same(["block", "put"], data=bytes(2 << 20))
        self.check(self.ours(["block", "put"], data=bytes((2 << 20) + 1)).returncode
                   and self.theirs(["block", "put"], data=bytes((2 << 20) + 1)).returncode,
                   "a block above 2 MiB")

    # ---- Damage

    def damaged_copy(self, source, files, name):
        """A copy of our home with a flipped bit, or 64 bytes lost, in one file of blocks."""
        home = self.folder / name
        shutil.copytree(self.folder / "pristine", home)
        path = home / source.choice(files)
        data = bytearray(path.read_bytes())
        at = source.randrange(len(data))
        if source.random() < 0.5:
            data[at] ^= 1 << source.randrange(8)
        else:
            end = min(at + 64, len(data))
            data[at:end] = source.randbytes(end - at)
        path.write_bytes(data)
        return path

    def repairs(self):
        """Whatever the damage: no wrong byte before it is repaired nor after; a segment's is wholly
        repaired, and what was repaired needs no Kubo any more."""
        self.ours(["pin", "add", self.root])
        self.ours(["repo", "gc", "--silent"])
        shutil.copytree(self.folder / "ours", self.folder / "pristine")
        pristine = self.folder / "pristine"
        files = [path.relative_to(pristine) for path in sorted((pristine / "blocks").rglob("*"))
                 if path.is_file() and path.stat().st_size and path.suffix not in (".lock",)
                 and path.name != "lock.mdb"]
        export = self.ours(["dag", "export", self.root], "pristine").stdout
        source = random.Random(SEED)
        healed = 0
        for index in range(DAMAGED_STORES):
            name = f"damaged {index}"
            path = self.damaged_copy(source, files, name)
            before = self.ours(["dag", "export", self.root], name)
            self.check(before.stdout == export or before.returncode, f"{name}: damage not noticed")
            self.check(export.startswith(before.stdout), f"{name}: wrong bytes")
            repaired = self.ours(["repo", "verify", "--repair", "--json"], name, self.api)
            last = json.loads(repaired.stdout.splitlines()[-1]) if repaired.stdout else {}
            healed += last.get("healed", 0)
            if path.name != "data.mdb":
                self.check(repaired.returncode == 0, f"{name}: {path.name} {repaired}")
                after = self.ours(["dag", "export", self.root], name)
                self.check(after.stdout == export, f"{name}: not whole after its repair")
                clean = self.ours(["repo", "verify"], name)
                self.check(clean.returncode == 0, f"{name}: damage left {clean}")
            else:
                # What the tables lost is fetched when it is asked for.
                after = self.ours(["dag", "export", self.root], name, self.api)
                self.check(after.stdout == export or after.returncode, f"{name}: wrong after")
                self.check(export.startswith(after.stdout), f"{name}: wrong bytes after")
            shutil.rmtree(self.folder / name)
        self.check(healed > DAMAGED_STORES // 6, f"only {healed} blocks were healed")
        print(f"{DAMAGED_STORES} damaged stores, {healed} blocks fetched again from Kubo")


def compare(program, kubo, folder):
    comparison = Comparison(program, kubo, folder)
    comparison.pins()
    comparison.repository()
    comparison.blocks()
    comparison.repairs()
    print(f"{comparison.checks} checks beside Kubo, {comparison.wrong} differ")
    return comparison.wrong


if __name__ == "__main__":
    sys.exit(rpc.run(compare))
