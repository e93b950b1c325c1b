# shellcheck shell=bash disable=SC2207
# Completion of ovs-multilog's words for bash.
_ovs_multilog() {
    local IFS=$'\n' words
    words=$(ovs-multilog completion words "$COMP_CWORD" \
                "${COMP_WORDS[@]}" 2>/dev/null)
    COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
    [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *[=,] ]] ||
        compopt -o nospace
}
complete -o bashdefault -o default -F _ovs_multilog ovs-multilog
