# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the benchmarks share.  BUILD is the build folder.
BUILD=${BUILD:-build}
FLAMEBOX=$BUILD/flamebox
RUNS=${RUNS:-7}
here=$(dirname "$0")

FLAMEBOX_ROOT=$(mktemp -d /var/tmp/flamebox-bench.XXXXXX)
export FLAMEBOX_ROOT
trap 'rm -rf "$FLAMEBOX_ROOT"' EXIT
trap 'exit 1' HUP INT TERM

demo_image() {
	"$here/../scripts/make-demo-image" "$BUILD/demo"
	"$FLAMEBOX" load -q -i "$BUILD/demo" --name demo >/dev/null
	"$FLAMEBOX" convert -q demo -o "$FLAMEBOX_ROOT/demo.squashfs" >/dev/null
	"$FLAMEBOX" run --rm demo true # templates and caches are made once
}
