#!/usr/bin/env bash
# examples/word_count in a language, built and run as README says: it gives the expected output, and so
# the CID of all counts that every other language gives. Arguments: the program, the repository, the
# language. Exit status 77: skipped, since a tool for the language is missing.
set -euo pipefail
program=$1
root=$2
language=$3
. "$root/tools/lib.sh"
if [ "$language" = rust ] && ! have_wasi_target; then
  echo "skipped: Rust has no target wasm32-wasip1 here: rustup target add wasm32-wasip1"
  exit 77
fi
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export IPFS_COMPUTE_PATH=$home/node IPFS_PATH=$home/no-kubo
example=$root/examples/word_count
folder=$("$program" add -r -Q "$example/input" | tail -n 1)
module=$("$root/tools/example" word_count "$language")
for event in "$folder" "{\"directory\":\"$folder\"}"; do
  "$program" run --quiet --wasm-file "$module" --handler handler --event - <<<"$event" >"$home/output"
  if ! diff -u "$example/expected_output.txt" "$home/output"; then
    echo "word_count in $language does not give the expected output for the event $event" >&2
    exit 1
  fi
done
if "$program" run --quiet --wasm-file "$module" --handler handler --event - </dev/null; then
  echo "word_count in $language counts the words of no folder" >&2
  exit 1
fi
