#compdef maglevc
# Completion of maglevc for zsh, written by `maglevc completions zsh`.
# Keep it as _maglevc in a folder of $fpath.

_maglevc() {
    local line word help
    local -a found shown
    line="${(j: :)words[1,CURRENT-1]} $PREFIX"
    while IFS=$'\t' read -r word help; do
        if [[ $word == ':files' ]]; then
            compset -P '*='
            _files
            return
        fi
        found+=("$word")
        shown+=("${word}${help:+  -- $help}")
    done < <(maglevc __complete "$line" 2>/dev/null)
    compadd -l -d shown -- "${found[@]}"
}

# Loaded as a function of $fpath it is called at once; sourced, it is only made known.
if [[ $funcstack[1] == _maglevc ]]; then
    _maglevc "$@"
else
    compdef _maglevc maglevc
fi
