# Completion of maglevc for bash, written by `maglevc completions bash`.
# Source it, or keep it as maglevc in /usr/share/bash-completion/completions.

_maglevc() {
    local line=${COMP_LINE:0:COMP_POINT} word help head
    COMPREPLY=()
    # bash breaks words at characters of its own, and replaces only what is
    # behind the last of them.
    head=${line##*[[:space:]]}
    head=${head%"${head##*["$COMP_WORDBREAKS"]}"}
    while IFS=$'\t' read -r word help; do
        if [[ $word == ':files' ]]; then
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "${line##*[[:space:]=]}")
            return
        fi
        [[ -n $head && $head != [\'\"]* ]] && word=${word#"$head"}
        [[ $line == *[\'\"]* ]] || printf -v word '%q' "$word"
        COMPREPLY+=("$word")
    done < <(maglevc __complete "$line" 2>/dev/null)
}

complete -F _maglevc maglevc
