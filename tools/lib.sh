# shellcheck shell=bash
# What the scripts in tools/ share. Source it first: it sets root, cache and the Rust toolchain.

: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything that may be kept between builds and clones; safe to delete at any time.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ipfs-compute
tool=$(basename "$0")

say() { printf '%s\n' "$*" >&2; }

die() {
  printf '%s: %s\n' "$tool" "$*" >&2
  exit 1
}

# took SECONDS_BEFORE: "12 s" or "3 min 05 s" since then.
took() {
  local spent=$((SECONDS - $1))
  if [ "$spent" -lt 60 ]; then printf '%d s' "$spent"; else printf '%d min %02d s' $((spent / 60)) $((spent % 60)); fi
}

# quietly LOG COMMAND...: output goes to LOG; on failure its end is shown.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    say "$tool: failed: $*"
    say "$tool: all of its output: $log"
    return 1
  fi
}

# packages_missing KIND...: those packages of tools/packages.txt that are not installed.
packages_missing() {
  local kind name
  for kind in "$@"; do
    while read -r name; do
      [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
    done < <(sed -n "s/^$kind //p" "$root/tools/packages.txt")
  done
}

# A new or empty HOME hides rustup's toolchains: look in the account's own home too. Never changes
# what the caller has set.
use_rust() {
  local account
  account=$(getent passwd "$(id -u)" | cut -d: -f6)
  if [ -z "${RUSTUP_HOME:-}" ] && [ ! -d "$HOME/.rustup" ] && [ -d "$account/.rustup" ]; then
    export RUSTUP_HOME=$account/.rustup
  fi
  if [ -z "${CARGO_HOME:-}" ] && [ ! -d "$HOME/.cargo" ] && [ -d "$account/.cargo" ]; then
    export CARGO_HOME=$account/.cargo
  fi
  PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  export PATH
}

have_rust() { cargo --version >/dev/null 2>&1 && rustc --version >/dev/null 2>&1; }

# Whether rustc can build for wasm32-wasip1 now.
have_wasi_target() {
  have_rust && [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-wasip1" ]
}

# Whether Node 18 or later is here, with npm.
have_node() {
  command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null
}

use_rust
