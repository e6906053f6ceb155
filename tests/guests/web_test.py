"""A guest in each language asks a web server of this machine through the host.

web_test.py PROGRAM MODULE...: each module's `handler` fetches the URL that its event is, and prints
status, type and body, or the name of the error.
"""

import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = "caf\u00e9 " * 20000 + "end\n"  # More than one read.


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/page")
            self.end_headers()
            return
        self.send_response(200 if self.path == "/page" else 404)
        self.send_header("Content-Type", "text/x-test")
        self.end_headers()
        self.wfile.write(BODY.encode())

    def log_message(self, *_):
        pass


def run(program, module, url, *flags):
    # A module of Go takes seconds to compile, beside other tests more than the usual limit.
    command = [program, "run", "--compile-timeout", "120s", "--quiet"]
    command += ["--wasm-file", module, "--handler", "handler"]
    done = subprocess.run(
        [*command, "--event", "-", *flags], input=url, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{module}: exit status {done.returncode}: {done.stderr}")
    return done.stdout


def main():
    program, *modules = sys.argv[1:]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"127.0.0.1:{server.server_port}"
    allowed = ("--allow-host", place, "--allow-private-address", place)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(IPFS_COMPUTE_PATH=home, IPFS_PATH=home + "/no-kubo")
        for module in modules:
            for page, status in (("page", 200), ("moved", 200), ("other", 404)):
                out = run(program, module, f"http://{place}/{page}", *allowed)
                if out != f"{status} text/x-test {BODY}":
                    sys.exit(f"{module}: {page} gave {out[:200]!r}")
            out = run(program, module, f"http://{place}/page")  # A pure job.
            if out != "refused\n":
                sys.exit(f"{module}: a pure job got {out[:200]!r}")
    print(f"{len(modules)} modules")


if __name__ == "__main__":
    main()
