#!/usr/bin/env bash
# The guests of tests/guests/web, one in each language whose tools are here, ask a web server of this
# machine through the host. Arguments: the program, the repository, a folder to build in.
set -euo pipefail
program=$1
out=$3
. "$2/tools/lib.sh"
mkdir -p "$out"
cd "$root/tests/guests/web"

modules=("$out"/{c,go,assemblyscript}.wasm)
/usr/bin/clang --target=wasm32-wasi --sysroot=/usr -mexec-model=reactor -std=c11 -O2 -Wall -Wextra \
  -Werror -I"$root/guest/c" -o "$out/c.wasm" c/web.c
go=$("$root/tools/go")
(cd go && GOOS=wasip1 GOARCH=wasm GOWORK=off GOFLAGS= GOTOOLCHAIN=local GOCACHE=$cache/go-build \
  "$go" build -buildvcs=false -buildmode=c-shared -o "$out/go.wasm" .)
"$("$root/tools/assemblyscript")/asc" assemblyscript/index.ts \
  --config "$root/guest/assemblyscript/asconfig.json" --outFile "$out/assemblyscript.wasm"
if have_wasi_target; then
  (cd rust && cargo build --release --locked --offline --target wasm32-wasip1 --target-dir "$out/target")
  modules+=("$out/target/wasm32-wasip1/release/web.wasm")
fi
exec python3 -B "$root/tests/guests/web_test.py" "$program" "${modules[@]}"
