# SPDX-License-Identifier: Apache-2.0
# Completion for bash.  What there is to complete is asked of the program's own
# tables ("flamebox help-dump": COMMAND, --long, -l, value, one option a line),
# so it is always that of the program that is installed.

_flamebox_words() {
	# shellcheck disable=SC2207 # names of images and options hold no spaces
	COMPREPLY=($(compgen -W "$1" -- "$2"))
}

_flamebox_images() {
	flamebox images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null |
		grep -v '<none>' | sed 's/:latest$//'
}

# what a value of this kind can be
_flamebox_value() {
	case $1 in
	file | path | dir) compopt -o default ;;
	kind) _flamebox_words "zstd lz4 gzip none" "$2" ;;
	mode) _flamebox_words "auto json plain quiet" "$2" ;;
	form) _flamebox_words "docker-archive oci-archive oci-dir" "$2" ;;
	*) ;;
	esac
}

_flamebox() {
	local cur prev words cword
	if declare -F _init_completion >/dev/null; then
		_init_completion -n =: || return
	else
		words=("${COMP_WORDS[@]}")
		cword=$COMP_CWORD
		cur=${words[cword]}
		prev=${words[cword - 1]}
	fi
	local table command="" i kind
	table=$(flamebox help-dump 2>/dev/null) || return
	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		--root | --config) i=$((i + 1)) ;;
		-*) ;;
		*)
			command=${words[i]}
			break
			;;
		esac
	done
	kind=$(awk -F'\t' -v c="$command" -v o="$prev" \
		'$1 == c && o != "" && (o == $2 || o == $3) { print $4 }' \
		<<<"$table")
	if [ -n "$kind" ]; then
		_flamebox_value "$kind" "$cur"
		return
	fi
	if [[ $cur == -* ]]; then
		_flamebox_words "--help $(awk -F'\t' -v c="$command" \
			'$1 == c { print $2, $3 }' <<<"$table")" "$cur"
		return
	fi
	case $command in
	"" | help)
		_flamebox_words "$(awk -F'\t' '$1 != "" && $2 == "" { print $1 }' \
			<<<"$table")" "$cur"
		;;
	run | rmi | tag | inspect | convert | pull | push | images | save | history)
		_flamebox_words "$(_flamebox_images)" "$cur"
		;;
	rm)
		_flamebox_words "$(flamebox ps -a --format '{{.Names}}' \
			2>/dev/null)" "$cur"
		;;
	pause)
		_flamebox_words "$(flamebox ps --filter status=running \
			--format '{{.Names}}' 2>/dev/null)" "$cur"
		;;
	unpause)
		_flamebox_words "$(flamebox ps --filter status=paused \
			--format '{{.Names}}' 2>/dev/null)" "$cur"
		;;
	*) ;;
	esac
	# a colon divides words for bash: only what is behind it is replaced
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _flamebox flamebox
