#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# history, and what inspect shows of an image's making.

load lib

setup() {
	fb_setup
	cd "$BATS_TEST_TMPDIR" || return 1
}

# An image "made:1" of two layers, with everything that docker build can say
made_image() {
	need jq
	local diffs=() i
	mkdir -p made
	for i in one two; do
		echo "$i" >"$i"
		tar --mtime=@0 --owner=0 --group=0 -cf "made/$i.tar" "$i"
		diffs+=("sha256:$(sha256sum <"made/$i.tar" | cut -d' ' -f1)")
	done
	jq -n --arg a "${diffs[0]}" --arg b "${diffs[1]}" '{
		architecture: "amd64", os: "linux", author: "me", comment: "made by hand",
		created: "2024-02-29T12:00:00.123456789Z", docker_version: "26.1",
		config: {Cmd: ["/one"], OnBuild: ["RUN make"], Shell: ["/bin/bash", "-c"],
			StopTimeout: 3, Healthcheck: {Test: ["CMD", "true"], Interval: 5000000000, Retries: 2}},
		rootfs: {type: "layers", diff_ids: [$a, $b]},
		history: [
			{created: "2024-02-29T10:00:00Z", created_by: "ADD one /"},
			{created: "2024-02-29T11:00:00Z", created_by: "ENV A=1", empty_layer: true},
			{created: "2024-02-29T12:00:00Z", comment: "buildkit",
				created_by: "RUN\t/bin/sh -c a command that is too long for a table, with an ä in it"}
		]}' >made/config.json
	jq -n '[{Config: "config.json", RepoTags: ["made:1"], Layers: ["one.tar", "two.tar"]}]' >made/manifest.json
	tar -C made -cf made.tar .
	fb load -q -i made.tar >/dev/null
}

@test "history has docker's columns, the newest first" {
	made_image
	local id
	id=$(fb images -q made:1)
	run fb history made:1
	is "$status" 0
	is "$(lines_of "$output")" 4
	[[ "${lines[0]}" =~ ^IMAGE\ +CREATED\ +CREATED\ BY\ +SIZE\ +COMMENT$ ]]
	[[ "${lines[1]}" =~ ^$id\ +[0-9]+\ (months|years)\ ago\ +RUN\ /bin/sh\ -c\ a\ command\ that\ is\ too\ long\ fo…\ +10.2kB\ +buildkit$ ]]
	[[ "${lines[2]}" =~ ^\<missing\>\ +[0-9]+\ (months|years)\ ago\ +ENV\ A=1\ +0B\ *$ ]]
	[[ "${lines[3]}" =~ ^\<missing\>.*ADD\ one\ /\ +10.2kB\ *$ ]]
	is "$(fb history "$id")" "$output"
}

@test "history -q, --no-trunc, --human=false, --format" {
	made_image
	local id
	id=$(fb images -q --no-trunc made:1)
	is "$(fb history -q made:1 | tr '\n' ' ')" "${id:7:12} <missing> <missing> "
	is "$(fb history -q --no-trunc made:1 | head -n 1)" "$id"
	has "$(fb history --no-trunc made:1)" "for a table, with an ä in it"
	is "$(fb history --human=false --format '{{.CreatedAt}} {{.Size}}' made:1 | head -n 1)" "2024-02-29T12:00:00Z 10240"
	run fb history -H=false made:1
	[[ "${lines[0]}" =~ ^IMAGE\ +CREATED\ AT\ +CREATED\ BY\ +SIZE\ +COMMENT$ ]]
	is "$(fb history --format json made:1 | jq -r .CreatedBy | tail -n 1)" "ADD one /"
	is "$(fb history --format 'table {{.Size}}' made:1 | tr '\n' ' ')" "SIZE 10.2kB 0B 10.2kB "
}

@test "history of an image that says nothing: a line a layer" {
	fb_load app:1
	run fb history app:1
	is "$status" 0
	[ "$(lines_of "$output")" -ge 2 ]
	run --separate-stderr fb history nope
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "No such image: nope"
}

@test "history says what podman says" {
	need podman
	made_image
	local -a pod=(env -u DOCKER_CONFIG podman --root "$PWD/pod" --runroot "$PWD/podrun" --storage-driver vfs)
	"${pod[@]}" load -q -i made.tar >/dev/null 2>podman.log ||
		skip "podman does not work here: $(tail -n 1 podman.log)"
	is "$(fb history --no-trunc --format '{{.CreatedBy}}' made:1)" \
		"$("${pod[@]}" history --no-trunc --format '{{.CreatedBy}}' made:1 | tr '\t' ' ')"
	is "$(fb history --format '{{.Comment}}' made:1)" "$("${pod[@]}" history --format '{{.Comment}}' made:1)"
	chmod -R u+w pod && rm -rf pod podrun
}

@test "inspect shows what docker build wrote" {
	made_image
	run --separate-stderr fb inspect made:1
	is "$status" 0
	local q='.[0]'
	is "$(jq -r "$q.Created" <<<"$output")" "2024-02-29T12:00:00.123456789Z"
	is "$(jq -r "$q.Author" <<<"$output")" me
	is "$(jq -r "$q.Comment" <<<"$output")" "made by hand"
	is "$(jq -r "$q.DockerVersion" <<<"$output")" 26.1
	is "$(jq -c "$q.Config.OnBuild" <<<"$output")" '["RUN make"]'
	is "$(jq -c "$q.Config.Shell" <<<"$output")" '["/bin/bash","-c"]'
	is "$(jq -cS "$q.Config.Healthcheck" <<<"$output")" '{"Interval":5000000000,"Retries":2,"Test":["CMD","true"]}'
	is "$(jq -c "$q.Config.StopTimeout" <<<"$output")" 3
	is "$(jq -c "$q.History | map(.created_by)[1]" <<<"$output")" '"ENV A=1"'
	is "$(jq -r "$q.Descriptor.size" <<<"$output")" \
		"$(stat -c %s "$FLAMEBOX_ROOT/oci/blobs/sha256/$(jq -r "$q.Descriptor.digest[7:]" <<<"$output")")"
	is "$(jq -r "$q.Parent" <<<"$output")" ""
}
