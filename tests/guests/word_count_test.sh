#!/usr/bin/env bash
# examples/word_count in each language, built and run as README says: all give the expected output,
# and so one CID of all counts. Arguments: the program, the repository.
set -euo pipefail
program=$1
root=$2
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export IPFS_COMPUTE_PATH=$home/node IPFS_PATH=$home/no-kubo
example=$root/examples/word_count
folder=$("$program" add -r -Q "$example/input" | tail -n 1)
for language in rust c; do
  module=$("$root/tools/example" word_count "$language")
  "$program" run --quiet --wasm-file "$module" --handler handler --event - <<<"$folder" \
    >"$home/output"
  if ! diff -u "$example/expected_output.txt" "$home/output"; then
    echo "word_count in $language does not give the expected output" >&2
    exit 1
  fi
done
