#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# The state on disk: other tools read it, many commands use it at once, and
# none that dies spoils it.

load lib

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
	[ -z "${registry_pid-}" ] || kill "$registry_pid"
}

# A registry on a free loopback port; sets $registry. Its log: registry.log
start_registry() {
	need docker-registry skopeo curl
	local port
	for port in 5861 5862 5863 5864 5865; do
		cat >registry.yml <<-END
			version: 0.1
			log: {level: info}
			storage: {filesystem: {rootdirectory: $BATS_TEST_TMPDIR/registry}}
			http: {addr: "127.0.0.1:$port"}
		END
		docker-registry serve registry.yml >registry.log 2>&1 3>&- &
		registry_pid=$!
		for _ in $(seq 100); do
			kill -0 "$registry_pid" 2>/dev/null || break
			if curl -sf "http://127.0.0.1:$port/v2/" >/dev/null; then
				registry=127.0.0.1:$port
				return 0
			fi
			sleep 0.1
		done
		kill "$registry_pid" 2>/dev/null || true
		registry_pid=
	done
	skip "docker-registry does not start: $(tail -n 1 registry.log)"
}

# push_big NAME: an image with a layer of 60 MB that does not compress
push_big() {
	fb_layout layout latest
	head -c 60000000 /dev/urandom >big
	umoci insert --rootless --image layout:latest big /big >/dev/null
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$registry/$1"
}

# Blobs of the store whose bytes are not what their names say
damaged_blobs() {
	(cd "$FLAMEBOX_ROOT/oci/blobs/sha256" && for f in *; do
		[ "$(sha256sum <"$f" | cut -d' ' -f1)" = "$f" ] || echo "$f"
	done)
}

@test "the state is its owner's alone" {
	fb images >/dev/null
	is "$(stat -c %a "$FLAMEBOX_ROOT")" 700
}

@test "skopeo and umoci read the store as it is" {
	need skopeo umoci jq
	fb_load app:1
	fb tag app:1 reg.example:5000/team/app:two
	run skopeo inspect "oci:$FLAMEBOX_ROOT/oci:docker.io/library/app:1"
	is "$status" 0
	is "$(jq -r .Architecture <<<"$output")" "$(fb inspect -f '{{.Architecture}}' app:1)"
	run umoci ls --layout "$FLAMEBOX_ROOT/oci"
	is "$status" 0
	is "$(sort <<<"$output")" $'docker.io/library/app:1\nreg.example:5000/team/app:two'
	# out with skopeo, in again: the same digests
	skopeo copy -q "oci:$FLAMEBOX_ROOT/oci:docker.io/library/app:1" oci-archive:out.tar:x
	fb load -q -i out.tar --name back
	is "$(fb inspect -f '{{.Id}}' back)" "$(fb inspect -f '{{.Id}}' app:1)"
	fb rmi app:1 back >/dev/null
	run umoci ls --layout "$FLAMEBOX_ROOT/oci"
	is "$output" "reg.example:5000/team/app:two"
}

@test "a state folder with a long and odd name" {
	local odd="$BATS_TEST_TMPDIR/a b\"c%s:d"
	local i
	for i in 1 2 3; do
		odd="$odd/$(printf 'x%.0s' $(seq 200))"
	done
	fb_layout layout latest
	is "$(fb --root "$odd" load -i layout)" "Loaded image: layout:latest"
	is "$(fb --root "$odd" images -q | wc -l)" 1
	fb --root "$odd" convert layout -o x.sq
}

@test "a state folder that cannot be: one line, with what to do" {
	touch file
	run --separate-stderr fb --root file images
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "$BATS_TEST_TMPDIR/file"
}

@test "eight commands load at once" {
	fb_layout layout latest
	local i
	local -a pids=()
	for i in 1 2 3 4 5 6 7 8; do
		fb load -q -i layout --name "app:$i" >/dev/null &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	is "$(fb images -q app | wc -l)" 8
	is "$(fb images -q app | sort -u | wc -l)" 1
	is "$(damaged_blobs)" ""
	# what all of them have in common stays until the last name goes
	for i in 1 2 3 4 5 6 7; do
		is "$(fb rmi "app:$i")" "Untagged: app:$i"
	done
	fb convert app:8 -o x.sq
	has "$(fb rmi app:8)" "Deleted: "
	is "$(find "$FLAMEBOX_ROOT/oci/blobs" -type f)" ""
	is "$(ls -A "$FLAMEBOX_ROOT/rootfs")" ""
}

@test "two pulls of one image fetch each blob once" {
	start_registry
	push_big app:1
	: >registry.log
	fb pull -q "$registry/app:1" >one 2>&1 &
	local first=$!
	fb pull -q "$registry/app:1" >two 2>&1
	wait "$first"
	is "$(cat one)" "$registry/app:1"
	is "$(cat two)" "$registry/app:1"
	is "$(grep -ao 'GET /v2/app/blobs/[^ ]*' registry.log | sort | uniq -d)" ""
	is "$(damaged_blobs)" ""
	is "$(ls -A "$FLAMEBOX_ROOT/partial")" ""
	fb convert "$registry/app:1" -o x.sq
}

@test "kill -9 of a pull: the next one continues where it stopped" {
	start_registry
	push_big app:1
	local pid size
	for _ in 1 2 3 4 5; do
		rm -rf "$FLAMEBOX_ROOT"
		"$FLAMEBOX" pull -q "$registry/app:1" >/dev/null 2>&1 &
		pid=$!
		# as soon as some of the big layer is there (the small one has 1 MB)
		for _ in $(seq 500); do
			size=$(find "$FLAMEBOX_ROOT/partial" -size +4M 2>/dev/null | wc -l)
			[ "$size" = 0 ] || break
			sleep 0.01
		done
		kill -9 "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		# it may have been faster than we were, or at the layer's end
		size=$(find "$FLAMEBOX_ROOT/partial" -size +4M -size -57M | wc -l)
		[ "$size" = 0 ] || break
	done
	[ "$size" != 0 ] || skip "every pull was done before it could be killed"
	is "$(fb images -q)" ""
	: >registry.log
	fb pull -q "$registry/app:1" >/dev/null
	# the registry writes a request down when it is done with it, maybe after us
	for _ in $(seq 100); do
		grep -aq '" 206 ' registry.log && break
		sleep 0.1
	done
	is "$(grep -ac '" 206 ' registry.log)" 1
	is "$(damaged_blobs)" ""
	is "$(ls -A "$FLAMEBOX_ROOT/partial")" ""
	fb convert "$registry/app:1" -o x.sq
}

@test "a tag that moved leaves the older image without a name" {
	start_registry
	fb_layout layout latest
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$registry/app:1"
	run fb pull "$registry/app:1"
	has "$output" "Status: Downloaded newer image"
	run fb pull "$registry/app:1"
	has "$output" "Status: Image is up to date"
	local old
	old=$(fb images -q "$registry/app:1")
	umoci config --image layout:latest --config.env NEW=1
	skopeo copy -q --dest-tls-verify=false oci:layout:latest "docker://$registry/app:1"
	run fb pull "$registry/app:1"
	has "$output" "Status: Downloaded newer image"
	[ "$(fb images -q "$registry/app:1")" != "$old" ]
	is "$(fb images --format '{{.Tag}}' "$registry/app" | sort)" $'1\n<none>'
	fb rmi "$old" >/dev/null
	is "$(fb images -q | wc -l)" 1
	fb convert "$registry/app:1" -o x.sq
}

@test "a digest is a name that never moves" {
	start_registry
	fb_layout layout latest
	skopeo copy -q --dest-tls-verify=false --preserve-digests \
		oci:layout:latest "docker://$registry/app:1"
	local digest
	digest=$(skopeo inspect --format '{{.Digest}}' oci:layout:latest)
	fb pull -q "$registry/app@$digest" >/dev/null
	is "$(fb images --digests --format '{{.Tag}} {{.Digest}}')" "<none> $digest"
	fb inspect "$registry/app@$digest" >/dev/null
	# offline now: what is here by digest needs no registry
	kill "$registry_pid"
	wait "$registry_pid" || true
	registry_pid=
	fb convert "$registry/app@$digest" -o x.sq
	fb rmi "$registry/app@$digest" >/dev/null
	is "$(fb images -q)" ""
}

# on_small_disk SIZE COMMAND…: with a file system of that size as the state
on_small_disk() {
	local size=$1
	shift
	unshare -m true 2>/dev/null || skip "needs the right to mount"
	mkdir -p "$FLAMEBOX_ROOT"
	# shellcheck disable=SC2016 # the inner shell expands its own words
	unshare -m sh -ec '
		mount --make-rprivate /
		mount -t tmpfs -o "size=$1" none "$FLAMEBOX_ROOT"
		shift
		"$@"' sh "$size" "$@"
}

# What a full disk must leave: see the two tests
full_disk_script() {
	cat >full.sh <<'END'
"$FLAMEBOX" images >/dev/null
before=$(df --output=used -k "$FLAMEBOX_ROOT" | tail -n 1)
"$@" >out 2>err && exit 9
after=$(df --output=used -k "$FLAMEBOX_ROOT" | tail -n 1)
"$FLAMEBOX" images -q >listed
echo "$((after - before))" >grown
END
}

@test "a load onto a full disk leaves nothing" {
	fb_layout layout latest
	tar -C layout -cf image.tar .
	full_disk_script
	on_small_disk 1100k bash full.sh "$FLAMEBOX" load -i image.tar
	has "$(cat err)" "No space left on device"
	is "$(lines_of "$(cat err)")" 1
	is "$(cat out listed)" ""
	[ "$(cat grown)" -le 64 ] || fail "$(cat grown) kB are left behind"
}

@test "a pull onto a full disk gives its space back" {
	start_registry
	push_big app:1
	full_disk_script
	on_small_disk 30m bash full.sh "$FLAMEBOX" pull "$registry/app:1"
	has "$(cat err)" "No space left on device"
	is "$(cat out listed)" ""
	# what was whole may stay for the next attempt: the small layer
	[ "$(cat grown)" -le 2000 ] || fail "$(cat grown) kB are left behind"
}
