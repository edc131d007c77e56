#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run --separate-stderr
# images, tag, rmi, inspect on a real image.

load lib

setup() { fb_setup; }

image_id() { fb images -q --no-trunc "$1"; }

@test "an empty store lists its heading" {
	run --separate-stderr fb images
	is "$status" 0
	is "$output" "REPOSITORY   TAG   IMAGE ID   CREATED   SIZE"
	is "$stderr" ""
	run fb images -q
	is "$output" ""
	run fb images --format json
	is "$output" ""
}

@test "images has docker's columns" {
	fb_load test/bb:1
	run fb images
	is "$status" 0
	is "$(lines_of "$output")" 2
	[[ "${lines[0]}" =~ ^REPOSITORY\ +TAG\ +IMAGE\ ID\ +CREATED\ +SIZE$ ]]
	[[ "${lines[1]}" =~ ^test/bb\ +1\ +[0-9a-f]{12}\ +[0-9]+\ (months|years)\ ago\ +[0-9.]+(kB|MB)$ ]]
}

@test "images -q, --no-trunc and --digests" {
	fb_load test/bb:1
	run fb images -q
	[[ "$output" =~ ^[0-9a-f]{12}$ ]]
	local short=$output
	run fb images -q --no-trunc
	[[ "$output" =~ ^sha256:[0-9a-f]{64}$ ]]
	is "${output:7:12}" "$short"
	run fb images --digests
	[[ "${lines[0]}" =~ ^REPOSITORY\ +TAG\ +DIGEST\ +IMAGE\ ID ]]
	has "${lines[1]}" "<none>"
}

@test "images --format: json, templates, tables" {
	need jq
	fb_load test/bb:1
	fb tag test/bb:1 other:2
	run fb images --format json
	is "$(lines_of "$output")" 2
	is "$(jq -r .Repository <<<"$output" | sort | tr '\n' ' ')" "other test/bb "
	is "$(jq -r .Platform <<<"${lines[0]}" | cut -d/ -f1)" "linux"
	run fb images --format '{{.Repository}}:{{.Tag}}' test/bb
	is "$output" "test/bb:1"
	run fb images --format 'table {{.Tag}}\t{{.Repository}}' other
	is "$output" "TAG   REPOSITORY"$'\n'"2     other"
	run fb images --format '{{json .Tag}}' other
	is "$output" '"2"'
	is "$(fb images --format '{{join (split .Repository "/") "."}} {{truncate .ID 3}}{{println}}' test/bb)" \
		"test.bb $(fb images -q | head -c 3)"
	run fb images --format 'table {{upper .Repository}}\t{{if eq .Tag "2"}}two{{else}}{{.Tag}}{{end}}'
	is "$output" "REPOSITORY   TAG"$'\n'"OTHER        two"$'\n'"TEST/BB      1"
	is "$(fb images --format '{{.VirtualSize}}' other)" "$(fb images --format '{{.Size}}' other)"
	run --separate-stderr fb images --format '{{.Nope}}'
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "can't evaluate field 'Nope'"
	is "$output" ""
}

@test "images takes a repository, a tag, wildcards" {
	fb_load test/bb:1
	fb tag test/bb:1 test/bb:2
	fb tag test/bb:1 alpine
	is "$(fb images -q | wc -l)" 3
	is "$(fb images -q test/bb | wc -l)" 2
	is "$(fb images -q test/bb:2 | wc -l)" 1
	is "$(fb images -q 'test/*' | wc -l)" 2
	is "$(fb images -q docker.io/library/alpine | wc -l)" 1
	is "$(fb images -q alpin | wc -l)" 0
}

@test "tag: short names, no digest, no such image" {
	fb_load test/bb:1
	local id
	id=$(image_id test/bb)
	run --separate-stderr fb tag test/bb:1 alpine
	is "$status" 0
	is "$output$stderr" ""
	is "$(image_id alpine:latest)" "$id"
	run fb tag "$id" localhost:5000/x/y:z
	is "$status" 0
	is "$(image_id localhost:5000/x/y)" "$id"
	run fb tag "${id:7:10}" by-id
	is "$status" 0
	run --separate-stderr fb tag nope x
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	has "$stderr" "No such image: nope"
	run --separate-stderr fb tag test/bb:1 Bad/NAME
	is "$status" 1
	has "$stderr" "invalid reference format: repository name (NAME) must be lowercase"
	run --separate-stderr fb tag test/bb:1 "x@$id"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
}

@test "rmi untags, and deletes with the last name" {
	fb_load test/bb:1
	local id
	id=$(image_id test/bb)
	fb tag test/bb:1 other:2
	run --separate-stderr fb rmi other:2
	is "$status" 0
	is "$output" "Untagged: other:2"
	run fb rmi test/bb:1
	is "$status" 0
	is "${lines[0]}" "Untagged: test/bb:1"
	is "${lines[1]}" "Deleted: $id"
	is "$(fb images -q)" ""
	run --separate-stderr fb rmi test/bb:1
	is "$status" 1
	is "$output" ""
	has "$stderr" "No such image: test/bb:1"
}

@test "rmi by id wants -f where there are several names" {
	fb_load test/bb:1
	local id
	id=$(image_id test/bb)
	fb tag test/bb:1 other:2
	run --separate-stderr fb rmi "${id:7:12}"
	is "$status" 1
	is "$(lines_of "$stderr")" 1
	is "$(fb images -q | wc -l)" 2
	run fb rmi -f "${id:7:12}"
	is "$status" 0
	has "$output" "Untagged: test/bb:1"
	has "$output" "Untagged: other:2"
	has "$output" "Deleted: $id"
	is "$(fb images -q)" ""
}

@test "rmi -f: what is not there is told, and is no failure" {
	fb_load test/bb:1
	run --separate-stderr fb rmi -f nope test/bb:1 sha256:0123456789
	is "$status" 0
	is "$output" "$(printf 'Untagged: test/bb:1\n%s' "$(tail -n +2 <<<"$output")")"
	has "$stderr" "No such image: nope"
	has "$stderr" "No such image: sha256:0123456789"
	run fb rmi -f 'Bad Name'
	is "$status" 1
}

@test "rmi goes on after an error" {
	fb_load test/bb:1
	run --separate-stderr fb rmi nope test/bb:1
	is "$status" 1
	has "$stderr" "No such image: nope"
	has "$output" "Untagged: test/bb:1"
	is "$(fb images -q)" ""
}

@test "inspect shows what docker shows" {
	need jq
	fb_load test/bb:1
	run --separate-stderr fb inspect test/bb:1
	is "$status" 0
	local q=".[0]"
	is "$(jq length <<<"$output")" 1
	is "$(jq -r "$q.Id" <<<"$output")" "$(image_id test/bb)"
	is "$(jq -c "$q.RepoTags" <<<"$output")" '["test/bb:1"]'
	is "$(jq -r "$q.Created" <<<"$output")" "2024-02-29T12:00:00Z"
	is "$(jq -r "$q.Os" <<<"$output")" "linux"
	is "$(jq -c "$q.Config.Entrypoint" <<<"$output")" '["/bin/busybox"]'
	is "$(jq -c "$q.Config.Cmd" <<<"$output")" '["sh"]'
	has "$(jq -c "$q.Config.Env" <<<"$output")" '"A=1"'
	is "$(jq -r "$q.Config.WorkingDir" <<<"$output")" "/srv"
	is "$(jq -r "$q.Config.User" <<<"$output")" "1000:100"
	is "$(jq -c "$q.Config.Labels" <<<"$output")" '{"k":"v"}'
	is "$(jq -c "$q.Config.ExposedPorts" <<<"$output")" '{"80/tcp":{}}'
	is "$(jq -c "$q.Config.Volumes" <<<"$output")" '{"/data":{}}'
	is "$(jq -r "$q.Config.StopSignal" <<<"$output")" "SIGQUIT"
	is "$(jq -r "$q.RootFS.Type" <<<"$output")" "layers"
	[[ "$(jq -r "$q.RootFS.Layers[0]" <<<"$output")" =~ ^sha256:[0-9a-f]{64}$ ]]
	[ "$(jq "$q.Size" <<<"$output")" -gt 100000 ]
}

@test "inspect -f, several images, and what is missing" {
	fb_load test/bb:1
	fb tag test/bb:1 other
	run --separate-stderr fb inspect -f '{{.Config.User}} {{.Os}}' test/bb:1 other
	is "$status" 0
	is "$output" "1000:100 linux"$'\n'"1000:100 linux"
	run --separate-stderr fb inspect -f '{{json .Config.Cmd}}{{index .Config.Labels "k"}}' other
	is "$output" '["sh"]v'
	run --separate-stderr fb inspect -f '{{.Os}}' other nope
	is "$status" 1
	is "$output" "linux"
	has "$stderr" "No such object: nope"
	run --separate-stderr fb inspect nope
	is "$status" 1
	is "$output" "[]"
	is "$stderr" "flamebox: No such object: nope"
	run --separate-stderr fb inspect --type image nope
	has "$stderr" "No such image: nope"
	run --separate-stderr fb inspect -f '{{.Os' other
	is "$status" 1
	is "$output" ""
	has "$stderr" "template parsing error"
}

@test "inspect -f prints what podman's prints" {
	need podman skopeo
	cd "$BATS_TEST_TMPDIR" || return 1
	fb_load test/bb:1
	fb save -q -o a.tar test/bb:1
	local -a podman=(env -u DOCKER_CONFIG podman --root "$PWD/p" --runroot "$PWD/pr" --storage-driver vfs)
	"${podman[@]}" load -q -i a.tar >&2 || skip "podman can't load here"
	local template
	for template in '{{.Os}}/{{.Architecture}}' '{{.Config.User}}' '{{.Config.Cmd}}' \
		'{{json .Config.Cmd}}' '{{.Config.Env}}' '{{index .Config.Env 0}}' '{{.Config.Labels}}' \
		'{{.Config.Labels.k}}' '{{index .Config.Labels "k"}}' '{{json .Config.Labels}}' \
		'{{.Config.ExposedPorts}}' '{{.Config.Volumes}}' '{{.Config.WorkingDir}}' \
		'{{.Config.Entrypoint}} {{.Config.StopSignal}}' '{{len .RootFS.Layers}}' \
		'{{.RootFS.Layers}}' '{{index .RootFS.Layers 0}}' '{{.RootFS.Type}}' \
		'{{upper .Os}}-{{lower .Os}}' '{{join .Config.Cmd ","}}' '{{len .Config.Env}}' 'plain' \
		'{{range .Config.Env}}{{println .}}{{end}}' '{{range $i, $e := .Config.Env}}{{$i}}:{{$e}} {{end}}' \
		'{{range $k, $v := .Config.Labels}}{{$k}}={{$v}} {{end}}' '{{if .Config.Volumes}}v{{else}}n{{end}}' \
		'{{if and .Os (eq .Architecture "none")}}a{{else if .Config.User}}b{{end}}' \
		'{{with .Config}}{{.User}}{{end}}' '{{printf "%-8s|%5s|%q" .Os "x" .Os}}' \
		'{{split .Os "n"}}' '{{truncate .Os 2}}' '{{title .Os}}' '{{slice .Os 0 2}}' \
		'{{index .Config.Labels "nope"}}' '{{.Config.Labels.nope}}' 'a {{- .Os -}} b{{/* c */}}' \
		'{{$x := .Os}}{{$x | upper | printf "%s!"}}' '{{(index .RootFS.Layers 0) | len}}' \
		'{{not .Os}} {{or .Config.User .Os}} {{ne .Os "x"}} {{lt (len .Os) 9}}'; do
		is "$template: $(fb inspect -f "$template" test/bb:1)" \
			"$template: $("${podman[@]}" inspect -f "$template" docker.io/test/bb:1)"
	done
	# what docker has and podman has not
	is "$(fb inspect -f '{{.Descriptor.Digest}} {{.Descriptor.MediaType}}' test/bb:1)" \
		"$(skopeo inspect -f '{{.Digest}}' "oci:$BATS_TEST_TMPDIR/layout:latest") application/vnd.oci.image.manifest.v1+json"
	is "$(fb inspect -f '{{json .Config}}' test/bb:1 | jq -c .Cmd)" '["sh"]'
	is "$(fb inspect -f '{{.ID}}' test/bb:1)" "$(image_id test/bb)"
	# fields, literals and functions of listings
	is "$(fb images --format '{{.Repository}}:{{.Tag}} {{.ID}} {{json .Tag}} {{upper .Tag}}!')" \
		"test/bb:1 $(fb images -q) \"1\" 1!"
	is "$(fb history --format '{{json .}}' test/bb:1 | head -n 1 | jq -r 'keys | join(",")')" \
		"Comment,CreatedAt,CreatedBy,CreatedSince,ID,Size"
}

@test "inspect by id and by the start of an id" {
	fb_load test/bb:1
	local id
	id=$(image_id test/bb)
	is "$(fb inspect -f '{{.Id}}' "$id")" "$id"
	is "$(fb inspect -f '{{.Id}}' "${id:7}")" "$id"
	is "$(fb inspect -f '{{.Id}}' "${id:7:8}")" "$id"
}

# A second image, of TWO=2 and label team=red, made in 2025, as NAME; a third
# without a name, made in 2023
more_images() {
	fb_layout "$BATS_TEST_TMPDIR/more" latest
	umoci config --image "$BATS_TEST_TMPDIR/more:latest" --config.env TWO=2 \
		--config.label team=red --created 2025-02-28T12:00:00Z
	fb load -q -i "$BATS_TEST_TMPDIR/more" --name "$1"
	umoci config --image "$BATS_TEST_TMPDIR/more:latest" --config.env THREE=3 \
		--created 2023-02-28T12:00:00Z
	fb load -q -i "$BATS_TEST_TMPDIR/more" --name third
	fb tag "$1" third
}

list() { fb images --format '{{.Repository}}:{{.Tag}}' "$@" | tr '\n' ' '; }

@test "images --filter" {
	fb_load test/bb:1
	more_images red/app:2 >/dev/null
	is "$(list)" "red/app:2 third:latest test/bb:1 <none>:<none> "
	is "$(list --filter dangling=true)" "<none>:<none> "
	is "$(list -f dangling=false)" "red/app:2 third:latest test/bb:1 "
	is "$(list -f label=team)" "red/app:2 third:latest <none>:<none> "
	is "$(list -f label=team=red -f label=k=v -f dangling=0)" "red/app:2 third:latest "
	is "$(list -f label=team=re)" ""
	is "$(list -f label=tea)" ""
	is "$(list -f before=test/bb:1)" "<none>:<none> "
	is "$(list -f since=test/bb:1)" "red/app:2 third:latest "
	is "$(list -f until=2024-03-01)" "test/bb:1 <none>:<none> "
	is "$(list -f until=2024-02-29T12:00:00Z)" "<none>:<none> "
	is "$(list -f until=1709208001)" "test/bb:1 <none>:<none> "
	is "$(list -f until=1m)" "red/app:2 third:latest test/bb:1 <none>:<none> "
	is "$(list -f 'reference=*/*:2' -f reference=third)" "red/app:2 third:latest "
	is "$(list -f 'reference=*/*' test/bb)" "red/app:2 test/bb:1 "
	is "$(list -a)" "$(list)"
}

@test "a filter that can't be is one line" {
	run --separate-stderr fb images --filter nope=1
	is "$status" 1
	is "$stderr" "flamebox: invalid filter 'nope'"
	run --separate-stderr fb images --filter dangling
	is "$status" 1
	has "$stderr" "bad format of filter (expected name=value)"
	run --separate-stderr fb images --filter dangling=maybe
	is "$stderr" "flamebox: invalid filter 'dangling=maybe'"
	run --separate-stderr fb images --filter until=yesterday
	has "$stderr" "invalid filter 'until=yesterday'"
	run --separate-stderr fb images --filter before=nope
	has "$stderr" "No such image: nope"
	is "$(lines_of "$stderr")" 1
}
