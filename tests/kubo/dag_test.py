"""`dag` and `cid` beside a real Kubo: CIDs and texts of nodes in every codec, CARs byte for byte,
each imported by the other, paths, statistics, formats.

Usage: dag_test.py IPFS_COMPUTE TOOLS_KUBO. Ends with status 77 (skipped) where Kubo is not built.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import urllib.parse

import rpc

SEED = 19_43

NODES = [
    'null', 'true', '0', '-1', '1.0', '-0.0', '0.5', '1e20', '1e21', '9.9e-7', '1e-6', '1.5e300',
    '5e-324', '9223372036854775807', '-9223372036854775808', '123456789.125', '100.0', '1e2',
    '""', '"text"', r'"\u0000\b\f\n\r\t\"\\\/\u001f\u007f"', r'"\u00e9\u2028\u2029\ud83d\ude00<>&"',
    '[]', '{}', '[[],[{}],[1,[2,[3]]]]', '{"b":1,"a":2,"aa":3,"":4,"B":5}',
    '{"/":{"bytes":""}}', '{"/":{"bytes":"AQIDBA"}}', '{"/":{"bytes":"AQ=="}}',
    '{"/":{"bytes":"AQ"},"x":1}', '{"/":1}', '{"x":{"/":"not a link","y":1}}',
    '{"/":"QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"}',
    '[{"/":"bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am"}]',
    '{"/":{"/":"bafkqaaa"}}', ' {\n\t"spaced" :\r [ 1 , 2 ] } ',
]
REFUSED = ['', '{', '[1', 'nul', '{"a":1,"a":2}', '{"/":"no cid"}', '"\n"', '{"a" 1}', '1 2',
           '1e400', '18446744073709551616', '{"/":{"bytes":"A"}}']
FORMATS = ['%s', '%S', '%P', '%b %B %v %V %c %C %h %H %L %%', '%m %M', '%d %D']
BASES = ['base16', 'base16upper', 'base32', 'base32upper', 'base36', 'base36upper', 'base58btc',
         'base64', 'base64pad', 'base64url', 'base64urlpad']


class Compare:
    def __init__(self, program, kubo, folder):
        self.program, self.kubo, self.folder = program, kubo, folder
        self.compared = self.wrong = 0

    def ours(self, *words, input=b"", home="home"):
        environment = dict(os.environ, IPFS_COMPUTE_PATH=str(self.folder / home),
                           IPFS_PATH=str(self.folder / "none"))
        done = subprocess.run([self.program, *words], env=environment, input=input,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.stdout if done.returncode == 0 else done.stderr.decode(errors="replace")

    def same(self, what, ours, theirs):
        self.compared += 1
        if ours != theirs:
            self.wrong += 1
            print(f"{what} (seed {SEED}): ours {ours!r:.400}, Kubo's {theirs!r:.400}")

    # ---- Nodes

    def kubo_put(self, data, input_codec, store_codec, hash="sha2-256"):
        query = f"dag/put?input-codec={input_codec}&store-codec={store_codec}&hash={hash}"
        text = self.kubo.upload(query, [("x", data)])
        if not text:  # The error is in a trailer.
            raise rpc.Refused("dag put")
        return json.loads(text)["Cid"]["/"]

    def put(self, data, input_codec, store_codec, hash="sha2-256"):
        """Our CID if it is Kubo's."""
        cid = self.ours("dag", "put", "--input-codec", input_codec, "--store-codec", store_codec,
                        "--hash", hash, input=data)
        cid = cid.decode().strip() if isinstance(cid, bytes) else cid
        self.same(f"put {data!r:.60} as {store_codec} {hash}", cid,
                  self.kubo_put(data, input_codec, store_codec, hash))
        return cid

    def get(self, path, codec="dag-json"):
        text = self.ours("dag", "get", "--output-codec", codec, path)
        theirs = self.kubo.call(
            f"dag/get?output-codec={codec}&arg=" + urllib.parse.quote(path, safe=""))
        self.same(f"get {path} as {codec}", text, theirs)
        return theirs

    def nodes(self):
        for text in NODES:
            for codec in ("dag-cbor", "dag-json"):
                cid = self.put(text.encode(), "dag-json", codec)
                if not (codec == "dag-json" and text in ("1e20", "1e21")):
                    self.get(cid)  # Kubo cannot read 1e20 back: it wrote an integer too large.
                if codec == "dag-cbor":
                    self.get(cid, "dag-cbor")
        for hash in ("sha2-512", "blake3"):
            self.put(b'{"a":1}', "dag-json", "dag-cbor", hash)
        for text in ('{"b":1,"a":[2,{"z":null,"y":0.5}]}', '[]', '"x"'):
            for codec in ("json", "cbor"):
                self.get(self.put(text.encode(), "json", codec))
                self.get(self.put(text.encode(), "dag-json", "dag-cbor"), codec)
        for text in ('{"Data":{"/":{"bytes":"CAE"}},"Links":[]}', '{"Links":[]}',
                     '{"Links":[{"Hash":{"/":"bafkqaaa"}},{"Hash":{"/":"bafkqaaa"},"Name":"b",'
                     '"Tsize":5},{"Hash":{"/":"bafkqaaa"},"Name":"a"}]}'):
            self.get(self.put(text.encode(), "dag-json", "dag-pb"))
        self.get(self.put(b"any bytes", "raw", "raw"), "raw")
        for text in REFUSED:
            try:
                theirs = self.kubo_put(text.encode(), "dag-json", "dag-cbor")
            except rpc.Refused:
                theirs = None
            ours = self.ours("dag", "put", input=text.encode())
            self.same(f"refuse {text!r}", isinstance(ours, str), theirs is None)

    # ---- DAGs

    def archive(self, cid, what):
        """Our export beside Kubo's of what both have; and each imported by the other."""
        theirs = self.kubo.call(f"dag/export?progress=false&arg={cid}")
        self.same(f"export {what}", self.ours("dag", "export", cid), theirs)
        self.same(f"import {what}", self.ours("dag", "import", "--stats", input=theirs, home="new"),
                  self.kubo.run("dag", "import", "--stats", input=theirs))
        self.same(f"export {what} after importing it",
                  self.ours("dag", "export", cid, home="new"), theirs)
        shutil.rmtree(self.folder / "new")

    def stat(self, *cids):
        self.same(f"stat {cids}", self.ours("dag", "stat", *cids),
                  self.kubo.run("dag", "stat", "--progress=false", *cids))

    def kubo_add(self, parts, query):
        text = self.kubo.upload("add?pin=false&progress=false&" + query, parts)
        cid = json.loads(text.splitlines()[-1])["Hash"]
        self.ours("dag", "import", input=self.kubo.call(f"dag/export?progress=false&arg={cid}"))
        return cid

    def dags(self, source):
        v1 = "cid-version=1&raw-leaves=true&chunker=size-1000&max-file-links=5"
        v0 = "cid-version=0&raw-leaves=false&chunker=size-1000&max-file-links=3"
        for query in (v0, v1, v1 + "&trickle=true", v1 + "&inline=true"):
            for size in (0, 1, 999, 1001, 100_000):
                cid = self.kubo_add([("f", source.randbytes(size))], query)
                self.archive(cid, f"{size} {query}")
        self.archive(self.kubo_add([("zeros", bytes(500_000))], v1), "blocks that repeat")
        for count in (3, 6000):  # The second one is sharded.
            parts = [("d", None)]
            parts += [(f"d/{index:020}", b"x%d" % (index % 7)) for index in range(count)]
            cid = self.kubo_add(parts, v1)
            self.archive(cid, f"a directory of {count}")
            self.get(cid)
            self.stat(cid)
            path = f"{cid}/{count // 2:020}"
            self.same(path, self.ours("dag", "resolve", path),
                      self.kubo.run("dag", "resolve", path))
        self.graph(source)

    def graph(self, source):
        """DAG-CBOR and DAG-JSON with links every which way, identity CIDs among them."""
        cids = [self.put(json.dumps({"leaf": index}).encode(), "dag-json", "dag-cbor")
                for index in range(10)] + ["bafkqablimvwgy3y"]
        for _ in range(40):
            links = [{"/": source.choice(cids)} for _ in range(source.randint(1, 6))]
            node = {"list": links, "deep": {"z": links[:1], "aa": 1, "b": links[-1:]}}
            codec = source.choice(["dag-cbor", "dag-json"])
            cids.append(self.put(json.dumps(node).encode(), "dag-json", codec))
        for cid in cids[-8:]:
            self.archive(cid, "a graph")
            self.stat(cid, cids[0], cids[-1])
            for rest in ("", "/list", "/list/0", "/deep/z/0", "/deep/aa", "/list/0/deep/b/0"):
                try:
                    theirs = self.kubo.run("dag", "resolve", cid + rest)
                except subprocess.CalledProcessError:
                    self.same(f"refuse {cid}{rest}",
                              isinstance(self.ours("dag", "resolve", cid + rest), str), True)
                    continue
                self.same(cid + rest, self.ours("dag", "resolve", cid + rest), theirs)
                self.get(cid + rest)

    # ---- CIDs

    def formats(self):
        cids = ["QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
                "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am",
                "zdj7WbTaiJT1fgatdet9Ei9iDB5hdCxkbVyhyh8YTUnXMiwYi",
                "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8",
                "bafkqablimvwgy3y"]
        flags = [[], ["-v", "1"], ["--mc", "raw"], ["--mc", "git-raw", "-b", "base32"]]
        flags += [["-b", base] for base in BASES]
        for cid in cids:
            self.same(f"base32 {cid}", self.ours("cid", "base32", cid),
                      self.kubo.run("cid", "base32", cid))
            self.same(f"inspect {cid}", self.ours("cid", "inspect", cid),
                      self.kubo.run("cid", "inspect", cid))
        for words in flags:
            for format in FORMATS:
                self.same(f"format {words} {format}",
                          self.ours("cid", "format", "-f", format, *words, *cids),
                          self.kubo.run("cid", "format", "-f", format, *words, *cids))


def compare(program, kubo, folder):
    both = Compare(program, kubo, folder)
    both.nodes()
    both.formats()
    both.dags(random.Random(SEED))
    print(f"{both.compared} answers compared, {both.wrong} differ from Kubo's")
    return both.wrong


if __name__ == "__main__":
    sys.exit(rpc.run(compare))
