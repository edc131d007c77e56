#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The tree that a machine sees, entry by entry (tests/layers/tree.py): beside what
# umoci unpacks and podman mounts, and what went into the tars.

load lib

setup() {
	fb_setup
	need unsquashfs python3
	[ "$(id -u)" = 0 ] || skip "owners and devices can be made by root only"
	layers=$BATS_TEST_DIRNAME/../layers
	cd "$BATS_TEST_TMPDIR" || return 1
}

list() { python3 -B "$layers/tree.py" "$1"; }

# convert LAYOUT NAME: the image in it, unpacked in the folder NAME
convert() {
	fb load -q -i "$1" --name "$2:1"
	fb convert -q -o "$2.img" "$2:1"
	unsquashfs -q -n -d "$2" "$2.img" >/dev/null
}

# same_as_umoci SEED [LAYERS]
same_as_umoci() {
	python3 -B "$layers/draw.py" "$1" "layout$1" "${@:2}"
	convert "layout$1" "seed$1"
	umoci unpack --image "layout$1:latest" "bundle$1" >umoci.log 2>&1 ||
		fail "umoci: $(tail -1 umoci.log)"
	list "seed$1" >ours
	list "bundle$1/rootfs" >theirs
	diff ours theirs || fail "seed $1"
	[ -s ours ]
	rm -rf "seed$1" "bundle$1"
}

@test "random stacks of layers are what umoci makes of them" {
	need umoci
	local seed
	for seed in 1 2 3 4 5; do same_as_umoci "$seed"; done
}

@test "the kernel sees the same in every compression and block size" {
	python3 -B "$layers/draw.py" 600 layout 7
	convert layout want
	list want >listed
	mkdir mounted
	local how status
	for how in "zstd 4k" "lz4 1m" "gzip 128k" "none 64k"; do
		fb convert -q --compression "${how% *}" --block-size "${how#* }" -o image want:1
		mount -t squashfs -o loop,ro image mounted ||
			skip "no SquashFS can be mounted here"
		status=0
		list mounted >kernel || status=$?
		umount mounted
		is "$status" 0
		diff listed kernel || fail "$how"
	done
	[ "$(lines_of "$(cat listed)")" -gt 20 ]
}

@test "127 layers are what umoci makes of them" {
	need umoci
	same_as_umoci 500 127
}

@test "an image of podman build is what podman mounts" {
	need podman
	local podman=(podman --root "$PWD/storage" --runroot "$PWD/run"
		--storage-driver vfs --cgroup-manager cgroupfs) mounted
	mkdir context
	cp /bin/busybox context/
	cat >context/Containerfile <<-'END'
		FROM scratch
		COPY busybox /bin/busybox
		RUN ["/bin/busybox", "--install", "-s", "/bin"]
		RUN mkdir -p /etc/a/b /tmp /var/empty && chmod 1777 /tmp && \
			echo old >/etc/a/b/f && ln /etc/a/b/f /etc/a/b/g && ln -s b /etc/a/l && \
			mkfifo /etc/fifo && chown 12:34 /etc/a/b && chmod 4755 /etc/a/b/f
		RUN rm /etc/a/b/f && echo new >/etc/a/b/h && rm -rf /var/empty && \
			echo file >/var/empty && ln /etc/a/b/g /etc/again
		RUN rm -rf /etc/a && mkdir /etc/a && echo 1 >/etc/a/only && \
			rm /var/empty && mkdir /var/empty && touch /etc/a/l
	END
	"${podman[@]}" build -q --isolation chroot --layers -t built context >build.log 2>&1 ||
		skip "podman cannot build here: $(tail -1 build.log)"
	mounted=$("${podman[@]}" image mount built)
	# the root has no entry in these layers: what podman shows is its own folder
	list "$mounted" | tail -n +2 >theirs
	for format in oci docker; do
		"${podman[@]}" save -q --format $format-archive -o $format.tar built
		convert $format.tar $format
		list $format | tail -n +2 | diff theirs -
	done
	cmp oci.img docker.img
	grep -q "^'etc/a/only' file" theirs
	"${podman[@]}" image umount built >/dev/null
}

# a folder with what is rare
rare() {
	mkdir -p rare/d rare/sparse
	echo x >rare/file
	ln rare/file rare/d/hard
	chown 4294967294:4294967294 rare/file
	mknod rare/null c 1 3
	mkfifo rare/fifo
	chmod 7555 rare/d
	truncate -s 5G rare/sparse/all-hole
	dd if=/dev/urandom of=rare/sparse/holes bs=4096 count=3 seek=9 status=none
	dd if=/dev/urandom of=rare/sparse/holes bs=4096 count=1 seek=2000 conv=notrunc status=none
	truncate -s 5G rare/sparse/holes
	touch -d @4294967295 rare/d
	setfattr -n user.empty rare/file
	setfattr -n trusted.binary -v 0x000aff rare/d
	cp /bin/true rare/capable
	setcap cap_net_raw+ep rare/capable
}

@test "what is rare, in every format of GNU tar: sparse files, ids, xattrs" {
	need setfattr setcap tar
	rare || skip "this file system or user cannot make what is rare"
	local format
	# 5 GiB of zeroes need no reading: sizes and the last bytes say enough
	for format in gnu pax-0.0 pax-0.1 pax-1.0; do
		local words=(--format="${format%%-*}")
		[ "${format#pax}" = "$format" ] || words+=(--sparse-version="${format#pax-}"
			--xattrs --xattrs-include='*')
		tar -C rare --sparse "${words[@]}" -cf $format.tar .
		python3 -B "$layers/layout.py" gzip layout-$format $format.tar
		convert layout-$format "$format"
		is "$(stat -c %s "$format/sparse/holes")" 5368709120
		cmp -n 8200000 rare/sparse/holes "$format/sparse/holes"
		is "$(stat -c %s "$format/sparse/all-hole")" 5368709120
		[ "$(stat -c %b "$format/sparse/holes")" -lt 1000 ]
		rm -r "$format/sparse"
	done
	rm -r rare/sparse
	# without the roots, whose times have just changed
	list rare | tail -n +2 >want
	for format in pax-0.0 pax-0.1 pax-1.0; do
		list $format | tail -n +2 | diff want -
	done
	grep -q 'security.capability=.* *$' want
	grep -q 'user.empty=' want
	# GNU's own format holds no xattrs
	list gnu | tail -n +2 | diff <(sed -E 's/ (user|trusted|security)\.[^ ]*//g' want) -
}

@test "any workers, packing, zone, language, mask, folder: the same bytes" {
	need zstd tar
	tar -C "$BATS_TEST_DIRNAME/.." --sort=name -cf a.tar unit
	tar -C "$BATS_TEST_DIRNAME/../.." --sort=name -cf b.tar src docs
	local kind workers sums=()
	for kind in none gzip zstd; do
		python3 -B "$layers/layout.py" $kind $kind a.tar b.tar
		fb load -q -i $kind --name $kind:1
		for workers in 1 2 4; do
			sums+=("$(fb convert -q --workers $workers -o - $kind:1 2>/dev/null | sha256sum)")
		done
	done
	for kind in TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8 SOURCE_DATE_EPOCH=1 HOME=/; do
		(
			cd /
			umask 077
			env "$kind" "$FLAMEBOX" convert -q -i "$BATS_TEST_TMPDIR/zstd" -o "$BATS_TEST_TMPDIR/other" >/dev/null
		)
		sums+=("$(sha256sum <other)")
	done
	is "$(printf '%s\n' "${sums[@]}" | sort | uniq -c | awk '{ print $1 }')" 13
}

@test "a tree of debootstrap's is what it was" {
	[ -d "${FLAMEBOX_TEST_TREE:-}" ] ||
		skip "FLAMEBOX_TEST_TREE names no folder that debootstrap made"
	tar -C "$FLAMEBOX_TEST_TREE" --xattrs --xattrs-include='*' --format=pax -cf tree.tar .
	python3 -B "$layers/layout.py" zstd layout tree.tar
	convert layout tree
	diff <(list "$FLAMEBOX_TEST_TREE") <(list tree)
}
