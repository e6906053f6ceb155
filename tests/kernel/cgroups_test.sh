#!/usr/bin/env bash
# Runs PROGRAM (cgroup_test) on a Linux of its own, where it has a control group of version 2 to divide: a
# Debian kernel in QEMU, emulated, so that it needs neither a right nor a processor that can do more. The
# whole file system is the program, FAKE (the executor that it starts), their libraries and a shell.
#   tests/kernel/cgroups_test.sh PROGRAM FAKE
set -euo pipefail
tools=$(cd "$(dirname "$0")/../../tools" && pwd)
program=$(realpath "${1:?the test program}")
fake=$(realpath "${2:?the executor that it starts}")

for needed in qemu-system-x86_64 busybox; do
  if ! command -v "$needed" >/dev/null; then
    echo "skipped: no $needed; 'tools/install --tests' installs it"
    exit 77
  fi
done
kernel=$("$tools/kernel")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

mkdir -p "$folder"/tree/{bin,dev,proc,sys,tmp,var/tmp}
cp "$(command -v busybox)" "$folder/tree/bin/busybox"
for file in "$program" "$fake"; do
  printf '%s\n' "$file"
  ldd "$file" | grep -o '/[^ ]*'
done | sort -u | while read -r file; do
  mkdir -p "$folder/tree${file%/*}"
  cp -L "$file" "$folder/tree$file"
done
cat >"$folder/tree/init" <<END
#!/bin/busybox sh
export PATH=/bin TMPDIR=/var/tmp
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /var/tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo '+memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/test
sh -c 'echo \$\$ >/sys/fs/cgroup/test/cgroup.procs && exec "\$1" --gtest_color=no' sh '$program'
echo "status \$?"
poweroff -f
END
chmod +x "$folder/tree/init"
(cd "$folder/tree" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$folder/files"

timeout 200 qemu-system-x86_64 -accel tcg -cpu max -m 1500 -nodefaults -nographic -serial stdio -no-reboot \
  -kernel "$kernel" -initrd "$folder/files" -append 'console=ttyS0 quiet panic=-1' \
  </dev/null >"$folder/output" 2>&1 || true
tr -d '\r' <"$folder/output"
if grep -q SKIPPED "$folder/output"; then
  echo "failed: nothing may be skipped here"
  exit 1
fi
grep -q 'PASSED' "$folder/output" && grep -q '^status 0' "$folder/output"
