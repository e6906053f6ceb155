#!/usr/bin/env bash
# What `run --profile` writes, opened by Firefox Profiler's own code (its command line, from npm): it
# finds the guest's functions by name, and each where the time went. Arguments: the program, the
# repository. Exit status 77: skipped, since Node or the package is not to be had.
set -euo pipefail
program=$1
source=$2/tests/guests/profile
. "$2/tools/lib.sh"
have_node || { echo "skipped: no Node 18 or later with npm"; exit 77; }

hash=$(cat "$source/package.json" "$source/package-lock.json" | sha256sum | cut -c1-12)
out=$cache/firefox-profiler/$hash
mkdir -p "$out"
(
  flock 9
  if [ ! -f "$out/complete" ]; then
    cp "$source/package.json" "$source/package-lock.json" "$out/"
    # It asks for a later Node than it needs for this.
    npm ci --prefix "$out" --no-audit --no-fund --engine-strict=false --cache "$cache/npm" >&2 || exit 77
    touch "$out/complete"
  fi
) 9>"$out/lock" || { echo "skipped: npm does not give @firefox-devtools/profiler-cli"; exit 77; }

folder=$(mktemp -d)
export HOME=$folder IPFS_COMPUTE_PATH=$folder/node IPFS_PATH=$folder/no-kubo
viewer=("$out/node_modules/.bin/profiler-cli")
trap '"${viewer[@]}" stop --all >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

cat >"$folder/guest.wat" <<'WAT'
(module
  (func $hot (param i32) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum (i32.add (i32.rotl (local.get $sum) (i32.const 3)) (local.get 0)))
      (br_if $next (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  (func $warm (result i32) (call $hot (i32.const 400000000)))
  (func $main (export "run") (result i32) (call $warm)))
WAT
wat2wasm --debug-names "$folder/guest.wat" -o "$folder/guest.wasm"
"$program" run -q --wasm-file "$folder/guest.wasm" --handler run --profile "$folder/profile.json" >/dev/null
"${viewer[@]}" load "$folder/profile.json" >&2
"${viewer[@]}" thread functions --include-idle --json >"$folder/functions.json"
python3 -B - "$folder/functions.json" <<'PY'
import json, sys

with open(sys.argv[1], encoding="utf-8") as file:
    functions = {one["name"]: one for one in json.load(file)["functions"]}
own = {name: one["selfSamples"] for name, one in functions.items()}
all_samples = sum(own.values())
print(own)
assert set(own) == {"main", "warm", "hot"}, "names of the module's name section"
assert all_samples >= 20, "one each millisecond, of a run of more than 100"
assert own["hot"] >= 0.95 * all_samples, "where the time goes"
assert functions["main"]["totalSamples"] == all_samples, "who calls whom"
assert functions["warm"]["totalSamples"] >= own["hot"], "who calls whom"
PY
