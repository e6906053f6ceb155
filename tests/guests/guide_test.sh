#!/usr/bin/env bash
# docs/guides/LANGUAGE.md, every line of it, as its reader would run it: in an empty folder and home.
# Arguments: the program, the repository, the language. Exit status 77: skipped, a tool is missing.
set -euo pipefail
program=$1
language=$3
. "$2/tools/lib.sh"
skip() {
  echo "skipped: $*"
  exit 77
}

path=$(dirname "$program"):$PATH
case $language in
  rust)
    have_wasi_target || skip "Rust has no target wasm32-wasip1: rustup target add wasm32-wasip1"
    for name in RUSTUP_HOME=.rustup CARGO_HOME=.cargo; do # Found in the home; soon there is another.
      folder=$HOME/${name#*=}
      [ ! -d "$folder" ] || [ -n "$(printenv "${name%=*}")" ] || export "${name%=*}=$folder"
    done
    ;;
  c) [ -z "$(packages_missing guest)" ] || skip "a package is missing: tools/install --tests" ;;
  go)
    go=$("$root/tools/go" --if-here) || skip "there is no Go: tools/install --tests"
    path=$(dirname "$go"):$path
    ;;
  assemblyscript)
    have_node || skip "there is no Node: tools/install --tests"
    "$root/tools/assemblyscript" >/dev/null # So that npm finds all in its cache.
    ;;
  *) die "there is no language '$language'" ;;
esac
# What a new home would have to get or compile once more: only that comes from outside of it.
unset IPFS_COMPUTE_PATH XDG_CACHE_HOME XDG_CONFIG_HOME GOFLAGS GOWORK
export PATH=$path GOTOOLCHAIN=local GOCACHE=$cache/go-build npm_config_cache=$cache/npm \
  npm_config_prefer_offline=true IPFS_PATH=/nonexistent
exec python3 "$root/tests/guests/guide_page.py" "$root/docs/guides/$language.md"
