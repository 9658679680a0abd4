# Completion of maglevc for fish, written by `maglevc completions fish`.
# Keep it as maglevc.fish in ~/.config/fish/completions.

function __maglevc_complete
    set -l found (maglevc __complete (commandline -pc) 2>/dev/null)
    if test "$found" = ':files'
        __fish_complete_path (commandline -ct | string replace -r '^--[^=]*=' '')
    else
        printf '%s\n' $found
    end
end

complete -c maglevc -f -a '(__maglevc_complete)'
