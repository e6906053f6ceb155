"""Some thousands of generated files and trees have the CIDs that Kubo gives them, with all flags
that decide a CID, without a profile and in both.

One Kubo daemon, offline, on a free loopback port, answers all of it (RPC `add`).
Usage: cids_test.py CID_OF_TREE TOOLS_KUBO [SEED]. Ends with status 77 (skipped) where Kubo is not
built. What Kubo refuses has to be refused by us, and the other way round.
"""

import collections
import json
import os
import pathlib
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import urllib.parse

import rpc

SEED = 20_25
SKIPPED = 77
KIB = 1 << 10
MIB = 1 << 20
V0_CHUNK = 256 * KIB
V1_CHUNK = MIB
OCEAN = 301 * MIB  # Content: random bytes of which files are parts, then zeros.
ZEROS = 4 * MIB
PROFILES = ("none", "unixfs-v0-2015", "unixfs-v1-2025")

# `flags` maps names to values; `range` is None for the file or folder at `path`, (from, size) for a
# part of that file, or NAMES for a folder of files "x" with the names that the file holds, one a
# line: as wide as it may be without one file on the disk for each.
NAMES = "names"
Case = collections.namedtuple("Case", "profile flags path range")


class Kubo(rpc.Kubo):
    """A daemon that is asked for CIDs."""

    def __init__(self, program, home):
        super().__init__(program, home, profiles="test")

    def apply(self, profile):
        """From here on the daemon adds with `profile`."""
        status, text = self.ask("config/profile/apply?arg=" + profile)
        if status != 200:
            raise SystemExit(f"Kubo does not apply {profile}: {text!r}")

    def cid(self, case, ocean):
        # Trees are stored: with only-hash Kubo forgets some flags for the root (--max-hamt-fanout,
        # --max-directory-links, how size is estimated) and all that is in a root with mode or time.
        only_hash = "true" if isinstance(case.range, tuple) else "false"
        query = urllib.parse.urlencode(
            {"only-hash": only_hash, "pin": "false", "progress": "false", **case.flags})
        parts = body_of(case, ocean)
        status, text = self.ask("add?" + query, parts,
                                "multipart/form-data; boundary=" + rpc.BOUNDARY.decode())
        try:
            return json.loads(text.splitlines()[-1])["Hash"]
        except (IndexError, KeyError, ValueError):
            return "refused: " + text.decode(errors="replace").strip()


def go_mode(mode):
    """What Go makes of a mode of the file system: type and special bits lie elsewhere."""
    result = stat.S_IMODE(mode) & 0o777
    for bit, go_bit in ((stat.S_ISUID, 1 << 23), (stat.S_ISGID, 1 << 22), (stat.S_ISVTX, 1 << 20)):
        result |= go_bit if mode & bit else 0
    result |= (1 << 31) if stat.S_ISDIR(mode) else (1 << 27) if stat.S_ISLNK(mode) else 0
    return result


def form_of(info):
    """Mode and time as `ipfs add` sends them to its daemon."""
    seconds, nanoseconds = divmod(info.st_mtime_ns, 10 ** 9)
    return "?" + urllib.parse.urlencode(
        {"mode": f"0{go_mode(info.st_mode):o}", "mtime": seconds, "mtime-nsecs": nanoseconds})


def head_of(name, kind, form=""):
    return (b'--%s\r\nContent-Disposition: form-data; name="file%s"; filename="%s"\r\n'
            b"Content-Type: %s\r\n\r\n"
            % (rpc.BOUNDARY, form.encode(), urllib.parse.quote(os.fsencode(name), safe="").encode(),
               kind.encode()))


def body_of_names(names):
    parts = [head_of("wide", "application/x-directory"), b"\r\n"]
    for name in names:
        parts += [head_of(f"wide/{name}", "application/octet-stream"), b"x\r\n"]
    return [b"".join(parts), b"--%s--\r\n" % rpc.BOUNDARY]


def body_of(case, ocean):
    if case.range == NAMES:
        return body_of_names(case.path.read_text().splitlines())
    parts = []
    members = [case.path] if case.range else [case.path, *sorted(case.path.rglob("*"))]
    for member in members:
        info = member.lstat()
        name = str(member.relative_to(case.path.parent))
        if stat.S_ISLNK(info.st_mode):
            kind, content = "application/symlink", os.fsencode(os.readlink(member))
        elif stat.S_ISDIR(info.st_mode):
            kind, content = "application/x-directory", b""
        elif case.range:
            start, size = case.range
            kind, content = "application/octet-stream", ocean[start:start + size]
        else:
            kind, content = "application/octet-stream", member.read_bytes()
        parts += [head_of(name, kind, form_of(info)), content, b"\r\n"]
    return [*parts, b"--%s--\r\n" % rpc.BOUNDARY]


# ---- Files

def around(*sizes):
    return [size + by for size in sizes for by in (-1, 0, 1) if size + by >= 0]


def boundary_cases(source, ocean_path):
    """Around every chunk and every level of what each profile does without flags, and with few
    links, where levels are small."""
    def case(profile, flags, size):
        start = source.randrange(0, max(1, min(OCEAN - ZEROS - size, 8 * MIB)))
        return Case(profile, flags, ocean_path, (start, size))

    for profile in PROFILES:
        chunk = V1_CHUNK if profile == "unixfs-v1-2025" else V0_CHUNK
        sizes = [0, 1, 2, 3, 127, 128, 255, 256, 16_383, 16_384]
        sizes += around(*(chunk * count for count in (1, 2, 3)))
        for size in sizes:
            yield case(profile, {}, size)
            yield case(profile, {"trickle": "true"}, size)
    # One node of 174 links full, and a level more; the other profile's is in IPIP-499's own tests.
    for size in around(174 * V0_CHUNK) + [175 * V0_CHUNK + 7]:
        yield case("none", {}, size)
    yield case("unixfs-v0-2015", {"trickle": "true"}, 175 * V0_CHUNK)
    yield case("none", {"cid-version": "1"}, 174 * V0_CHUNK + 1)
    for profile in PROFILES:
        yield case(profile, {}, 300 * MIB - 1)
    for links in (2, 3, 7):
        for chunk in (1, 16, 1000):
            for level in (1, 2, 3):
                for count in around(links ** level):
                    for size in around(count * chunk):
                        flags = {"max-file-links": str(links), "chunker": f"size-{chunk}"}
                        if source.random() < 0.4:
                            flags["trickle"] = "true"
                        if source.random() < 0.2:
                            flags["mode"] = "420"
                            flags["raw-leaves"] = "false"
                        yield case(source.choice(PROFILES), flags, size)
    for chunker in ("rabin", "buzhash", "rabin-65536", "rabin-1000-10000-100000", "size-2096896"):
        for size in (0, 1, 131_071, 131_072, 131_073, 524_288, 5 * MIB + 3, 40 * MIB):
            yield case(source.choice(PROFILES), {"chunker": chunker}, size)
        zeros = (OCEAN - ZEROS, ZEROS)
        yield Case("none", {"chunker": chunker}, ocean_path, zeros)
        yield Case("none", {"chunker": chunker}, ocean_path, (OCEAN - ZEROS - 70_000, 500_000))


def maybe(source, chance, flags, name, *values):
    if source.random() < chance:
        flags[name] = str(source.choice(values))


def chunker_of(source):
    kind = source.random()
    if kind < 0.5:
        return f"size-{int(2 ** source.uniform(8, 20))}"
    if kind < 0.6:
        return source.choice(("buzhash", "rabin", "default"))
    if kind < 0.7:
        return f"rabin-{source.randint(300, 100_000)}"
    low = source.randint(64, 30_000)
    middle = low + source.randint(1, 30_000)
    return f"rabin-{low}-{middle}-{middle + source.randint(1, 100_000)}"


def random_flags(source, profile):
    """Of all that decide a CID, in any company: Kubo refuses a few of them."""
    flags = {}
    maybe(source, 0.4, flags, "cid-version", 0, 1, 1)
    maybe(source, 0.3, flags, "raw-leaves", "true", "false", "false")
    maybe(source, 0.35, flags, "hash", "sha2-256", "sha2-512", "blake3", "blake3")
    if source.random() < 0.5:
        flags["chunker"] = chunker_of(source)
    maybe(source, 0.3, flags, "trickle", "true", "true", "false")
    maybe(source, 0.3, flags, "max-file-links", 2, 3, 11, 1024, 2000, 0)
    maybe(source, 0.25, flags, "inline", "true")
    maybe(source, 0.2, flags, "inline-limit", 0, 1, 36, 100, 128)
    maybe(source, 0.2, flags, "mode", 0o644, 0o755, 0, 0o1000, 0o7777, (1 << 23) | 0o755)
    maybe(source, 0.2, flags, "mtime", 1, -1, 0, 1_603_539_720, -(2 ** 40), 2 ** 33)
    if "mtime" in flags and flags["mtime"] != "0":
        maybe(source, 0.5, flags, "mtime-nsecs", 0, 1, 54_321, 999_999_999)
    maybe(source, 0.15, flags, "preserve-mode", "true")
    maybe(source, 0.15, flags, "preserve-mtime", "true")
    if source.random() < 0.9:  # Else what follows may be left to be refused.
        if flags.get("hash", "sha2-256") != "sha2-256" and (
                profile == "unixfs-v0-2015" or "cid-version" in flags):
            flags["cid-version"] = "1"
        if flags.keys() & {"mode", "mtime", "preserve-mode", "preserve-mtime"} and (
                profile == "unixfs-v1-2025" or flags.get("raw-leaves") == "true"):
            flags["raw-leaves"] = "false"
    return flags


def file_cases(source, ocean_path, count):
    for _ in range(count):
        size = int(2 ** source.uniform(0, 20)) - 1
        start = source.choice((source.randrange(OCEAN - ZEROS - size), OCEAN - ZEROS - size // 2))
        profile = source.choice(PROFILES)
        yield Case(profile, random_flags(source, profile), ocean_path, (start, size))


def refused_cases(ocean_path):
    """What Kubo's flags exclude, by themselves and together."""
    for profile in PROFILES:
        for flags in (
            {"chunker": "size-0"}, {"chunker": "size-2096897"}, {"chunker": "size-x"},
            {"chunker": "size"}, {"chunker": "size-1-2"}, {"chunker": "rabin-15-32-64"},
            {"chunker": "rabin-32-32-64"}, {"chunker": "rabin-16-64-64"}, {"chunker": "rabin-1-2"},
            {"chunker": "rabin-16-32-2096897"}, {"chunker": "rabin-1397932"},
            {"chunker": "rabin-avg:16-avg:32-max:64"}, {"chunker": "fixed-1"},
            {"chunker": "rabin-min:16-avg:32-max:64"}, {"chunker": "rabin-1397931"},
            {"chunker": "rabin-48"}, {"chunker": "rabin-16-17-18"}, {"chunker": "buzhash-7"},
            {"chunker": "size-+7"}, {"max-hamt-fanout": "4"}, {"max-hamt-fanout": "2048"},
            {"max-hamt-fanout": "48"}, {"max-hamt-fanout": "8"}, {"hash": "sha2-257"},
            {"hash": "BLAKE3", "cid-version": "1"}, {"hash": "blake3", "cid-version": "0"},
            {"hash": "sha2-512"}, {"cid-version": "2"}, {"cid-version": "-1"},
            {"cid-version": "2", "hash": "blake3"}, {"inline": "true", "inline-limit": "129"},
            {"inline": "true", "inline-limit": "-1"}, {"inline-limit": "129"},
            {"raw-leaves": "true", "mode": "420"}, {"raw-leaves": "true", "mtime": "1"},
            {"raw-leaves": "true", "preserve-mode": "true"},
            {"raw-leaves": "true", "preserve-mtime": "true"}, {"mtime-nsecs": "1"},
            {"mtime": "1", "mtime-nsecs": "1000000000", "raw-leaves": "false"},
            {"mtime": "-62135596800", "raw-leaves": "false"},
            {"max-file-links": "-1"}, {"max-directory-links": "-1"},
            {"mode": "420"}, {"mtime": "1"}, {"preserve-mode": "true"}, {"trickle": "false"},
        ):
            yield Case(profile, flags, ocean_path, (5, 3000))


# ---- Trees

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
        if child.exists() or child.is_symlink():
            continue
        if depth > 0 and source.random() < 0.4:
            grow(child, source, depth - 1)
        elif source.random() < 0.15:
            child.symlink_to(source.choice(("nowhere", "../a", "/etc/passwd", "ä/b c", "x" * 300)))
        else:
            child.write_bytes(source.randbytes(int(2 ** source.uniform(0, 12)) - 1))
        touch(child, source)
    touch(folder, source)


def touch(path, source):
    """Gives a mode and a time, as far as everybody may."""
    if not path.is_symlink():
        path.chmod(source.choice((0o400, 0o644, 0o777, 0o4755, 0o1640))
                   if path.is_file() else source.choice((0o755, 0o700, 0o1777)))
    moment = source.choice((0, 1, 10 ** 9, -10 ** 9, 1_655_158_632 * 10 ** 9 + 123_456_789,
                            -5 * 10 ** 9 + 1, source.randrange(2 ** 60)))
    os.utime(path, ns=(moment, moment), follow_symlinks=False)


def tree_cases(source, root, count):
    for index in range(count):
        path = root / f"tree {index}"
        grow(path, source, source.randint(0, 4))
        profile = source.choice(PROFILES)
        flags = random_flags(source, profile)
        maybe(source, 0.4, flags, "max-directory-links", 1, 2, 3, 5, 0)
        maybe(source, 0.4, flags, "max-hamt-fanout", 8, 16, 64, 512, 1024)
        yield Case(profile, flags, path, None)
        # And every profile as it is: what most people's trees are.
        yield Case(PROFILES[index % len(PROFILES)], {}, path, None)


def wide(path, lengths):
    """The names of a folder, of these lengths."""
    path.write_text("".join(f"{index:0{length}}\n" for index, length in enumerate(lengths)))
    return path


def wide_cases(source, root):
    # In unixfs-v1-2025 a link of these takes 44 bytes and its name, the node 4 more: 262,144 bytes
    # are still one node, 262,145 are shards. A mode takes 3 bytes more, a time 9 or so.
    for last in (16, 17):
        path = wide(root / f"block {last}", [20] * 4095 + [last])
        yield Case("unixfs-v1-2025", {}, path, NAMES)
    path = wide(root / "block and mode", [20] * 4095 + [8])
    for flags in ({}, {"mode": "511"}, {"mode": "64"}, {"mtime": "1"}, {"mtime": "-1"},
                  {"mode": "511", "mtime": "1", "mtime-nsecs": "1"}, {"mtime": "200"}):
        yield Case("unixfs-v1-2025", {**flags, "raw-leaves": "false"}, path, NAMES)
    # By names and binary CIDs: 34 bytes each in version 0, 36 in version 1.
    for last in (30, 31):
        path = wide(root / f"links {last}", [30] * 4095 + [last])
        yield Case("none", {}, path, NAMES)
        yield Case("unixfs-v0-2015", {"mode": "420"}, path, NAMES)
    for last in (28, 29):
        path = wide(root / f"links of version 1 {last}", [28] * 4095 + [last])
        yield Case("none", {"cid-version": "1"}, path, NAMES)
    # Ten thousand entries, of some lengths.
    for length in (7, 20):
        path = wide(root / f"many {length}", [length] * 10_000)
        for profile in PROFILES:
            yield Case(profile, {}, path, NAMES)
        for fanout in (8, 128, 1024):
            yield Case("none", {"max-hamt-fanout": str(fanout), "cid-version": "1",
                                "hash": source.choice(("sha2-256", "blake3", "sha2-512"))},
                       path, NAMES)
    # Few entries, sharded by their number.
    for count in (1, 2, 9, 30, 200):
        path = wide(root / f"few {count}", [source.randint(4, 30) for _ in range(count)])
        for fanout in (8, 16, 32, 64, 128, 256, 512, 1024):
            for most in (count - 1, count):
                flags = {"max-hamt-fanout": str(fanout), "max-directory-links": str(most)}
                maybe(source, 0.3, flags, "inline", "true")
                maybe(source, 0.3, flags, "mtime", 1, -7)
                if "mtime" in flags:
                    flags["raw-leaves"] = "false"
                yield Case(source.choice(PROFILES), flags, path, NAMES)


# ---- The comparison

def generate(root, seed):
    source = random.Random(seed)
    ocean_path = root / "ocean"
    with open(ocean_path, "wb") as file:
        for _ in range((OCEAN - ZEROS) // MIB):
            file.write(source.randbytes(MIB))
        file.write(bytes(ZEROS))
    os.utime(ocean_path, ns=(1_604_320_482_000_000_007, 1_604_320_482_000_000_007))
    ocean_path.chmod(0o640)
    return ocean_path, [
        *boundary_cases(source, ocean_path), *file_cases(source, ocean_path, 1100),
        *refused_cases(ocean_path), *tree_cases(source, root, 250), *wide_cases(source, root)]


def line_of(case):
    flags = "&".join(f"{name}={value}" for name, value in case.flags.items())
    part = case.range or "-"
    if isinstance(part, tuple):
        part = f"{part[0]}:{part[1]}"
    return f"{case.profile}\t{flags}\t{case.path}\t{part}\n"


def compare(kubo, cases, ours, ocean, seed):
    wrong = refused = 0
    # "none" first: a profile is there for good once it is applied.
    for profile in PROFILES:
        if profile != "none":
            kubo.apply(profile)
        for case, cid in zip(cases, ours):
            if case.profile != profile:
                continue
            theirs = kubo.cid(case, ocean)
            both_refuse = theirs.startswith("refused: ") and cid.startswith("refused: ")
            refused += both_refuse
            if theirs != cid and not both_refuse:
                wrong += 1
                print(f"seed {seed}: {line_of(case).strip()}: ours {cid}, Kubo's {theirs}")
    print(f"{len(cases)} cases, {refused} of them refused by both, {wrong} differ from Kubo")
    return wrong


def main():
    helper, tools_kubo, *seed = sys.argv[1:]
    seed = int(seed[0]) if seed else SEED
    found = subprocess.run([tools_kubo, "--if-built"], stdout=subprocess.PIPE, text=True)
    if found.returncode != 0:
        print("skipped: Kubo is not built yet; run tools/kubo (3 minutes, once)")
        return SKIPPED
    root = pathlib.Path(tempfile.mkdtemp(prefix="ic-kubo-"))
    kubo = None
    try:
        (root / "home").mkdir()
        (root / "trees").mkdir()
        ocean_path, cases = generate(root / "trees", seed)
        assert len(cases) >= 2200, len(cases)
        ours = subprocess.run([helper], input="".join(map(line_of, cases)), check=True,
                              stdout=subprocess.PIPE, text=True).stdout.splitlines()
        assert len(ours) == len(cases), f"{len(ours)} answers for {len(cases)} cases"
        kubo = Kubo(found.stdout.strip(), root / "home")
        ocean = memoryview(ocean_path.read_bytes())
        return 1 if compare(kubo, cases, ours, ocean, seed) else 0
    finally:
        if kubo:
            kubo.end()
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
