#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh OUT [VARIANT]: put the guest kernel's vmlinux and bzImage into the folder
# OUT; of a variant only OUT/vmlinux-VARIANT.  A variant is VARIANT.config, merged
# over the fragment, and VARIANT.patch.
#
# Built from the distribution's kernel source (KERNEL_SOURCE, or the newest
# /usr/src/linux-source-*.tar.xz) with tinyconfig and fragment.config.  A result
# is kept by a hash of everything that goes into it, outside any build folder
# (FLAMEBOX_CACHE, or ~/.cache/flamebox), so that a second clone does not build.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?usage: build.sh OUT [VARIANT]}"
out=$(cd "$1" && pwd)
variant=${2:-}
files='vmlinux bzImage'
if [ -n "$variant" ]; then
	files=vmlinux
fi
cache=${FLAMEBOX_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/flamebox}/kernel
# one more than there are processors: a job waits for its files now and then
jobs=$(($(nproc) + 1))

fail() {
	echo "kernel: $*" >&2
	exit 1
}

source=${KERNEL_SOURCE:-}
if [ -z "$source" ]; then
	# shellcheck disable=SC2012 # the names are the distribution's
	source=$(ls -v /usr/src/linux-source-*.tar.xz 2>/dev/null | tail -n 1)
fi
[ -f "$source" ] || fail "no kernel source found: apt install linux-source-6.1, or set KERNEL_SOURCE"

# the big tarball is known by name, size and time: hashing it costs a second a run
key=$({
	stat -L -c '%n %s %Y' "$source"
	cat "$here/fragment.config" "$here/build.sh" "$here/cc" "$here/precompiled.h" \
		${variant:+"$here/$variant.config" "$here/$variant.patch"}
	${CC:-gcc} --version
} | sha256sum | cut -c 1-32)
done=$cache/$key

publish() {
	for file in $files; do
		to=$out/$file${variant:+-$variant}
		if ! cmp -s "$done/$file" "$to"; then
			cp "$done/$file" "$to.part"
			mv "$to.part" "$to"
		fi
	done
}

# the folder appears whole or not at all
if [ -f "$done/vmlinux" ]; then
	publish
	exit 0
fi

# of two builds at once the second waits for the first one's result
mkdir -p "$cache"
exec 9>"$cache/lock"
flock -n 9 || {
	echo "kernel: waiting for another build" >&2
	flock 9
}
if [ -f "$done/vmlinux" ]; then
	publish
	exit 0
fi
# who holds the lock owns what a killed build has left
rm -rf "$cache"/build.?????? "$cache"/ready.??????
work=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

echo "kernel: building ${variant:+$variant }from $source (a few minutes, once)" >&2
# of other architectures and of drivers for real hardware only Kconfig's files are read
set --
for name in alpha arc arm arm64 csky hexagon ia64 loongarch m68k microblaze mips \
	nios2 openrisc parisc powerpc riscv s390 sh sparc um xtensa; do
	set -- "$@" --exclude="*/arch/$name/[!cK]*"
done
for name in drivers/gpu drivers/infiniband drivers/media drivers/net/ethernet \
	drivers/net/wireless drivers/scsi drivers/staging drivers/usb drivers/video sound; do
	set -- "$@" --exclude="*/$name/*.[ch]"
done
xz -T0 -dc "$source" | tar -x -C "$work" --strip-components=1 "$@" \
	--exclude='*/tools/testing' --exclude='*/tools/perf' \
	--exclude='*/Documentation/*/*' || fail "cannot unpack $source"
cd "$work"
if [ -n "$variant" ]; then
	patch -s -p1 <"$here/$variant.patch" >&2 || fail "$variant.patch does not fit $source"
fi

log=$work/build.log
export KERNEL_CC="${CC:-gcc}"
make_quiet() {
	make -s -j"$jobs" KBUILD_BUILD_USER=flamebox KBUILD_BUILD_HOST=flamebox \
		KBUILD_BUILD_TIMESTAMP='1970-01-01' CC="$here/cc" "$@" >>"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		fail "make $* failed"
	}
}

make_quiet tinyconfig
./scripts/kconfig/merge_config.sh -m -O . .config "$here/fragment.config" \
	${variant:+"$here/$variant.config"} >>"$log" 2>&1 ||
	fail "cannot merge the fragment"
make_quiet olddefconfig

# an option that silently did not take effect would be found by a user; a variant's
# line stands for the fragment's
awk -F= '/^CONFIG_/ { line[$1] = $0 } END { for (name in line) print line[name] }' \
	"$here/fragment.config" ${variant:+"$here/$variant.config"} >"$work/wanted"
while IFS= read -r line; do
	case $line in
	CONFIG_*=n)
		name=${line%%=*}
		if grep -q "^$name=" .config; then
			fail "$name should be off"
		fi
		;;
	CONFIG_*)
		grep -qxF "$line" .config || fail "$line did not take effect"
		;;
	esac
done <"$work/wanted"

# Precompiled headers: a third off the build's time.  The first header of every
# file's command line stands for all of them; how files are compiled, one file tells.
make_quiet init/main.o
flags=$(sed -n '1s/^[^=]*:= [^ ]* \(.*\) -c -o .*/\1/p' init/.main.o.cmd |
	sed "s/-Wp,-MMD,[^ ]*//; s/-include [^ ]*//g; s/-D[_]*KBUILD_[^ ]*//g")
# shellcheck disable=SC2086 # flags, one word each
$KERNEL_CC $flags -x c-header -o include/linux/compiler-version.h.gch \
	"$here/precompiled.h" >>"$log" 2>&1 || fail "cannot precompile headers: $(tail -n 1 "$log")"
# shellcheck disable=SC2086 # one word a file
make_quiet $files
strip -s -o "$work/vmlinux.stripped" vmlinux 2>>"$log" || cp vmlinux "$work/vmlinux.stripped"

ready=$(mktemp -d "$cache/ready.XXXXXX")
cp "$work/vmlinux.stripped" "$ready/vmlinux"
[ -n "$variant" ] || cp arch/x86/boot/bzImage "$ready/bzImage"
cp .config "$ready/config"
chmod 755 "$ready"
chmod 644 "$ready"/*
# complete or not there at all
mv -T "$ready" "$done" 2>/dev/null || rm -rf "$ready"
cd /
publish
