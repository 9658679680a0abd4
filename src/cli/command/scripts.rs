//! The completion scripts of system shells. They contain no command: they pass
//! the line to `maglevc __complete`, which answers from the grammar, the
//! options and the daemon.

use crate::cli::command::request::Shell;

/// The first argument with which a script queries maglevc. It is not part of
/// the grammar.
pub const COMPLETE: &str = "__complete";

/// The answer that makes the shell complete file names.
pub const FILES: &str = ":files";

/// The script for a shell.
#[must_use]
pub fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("scripts/maglevc.bash"),
        Shell::Zsh => include_str!("scripts/maglevc.zsh"),
        Shell::Fish => include_str!("scripts/maglevc.fish"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_uses_the_query_and_its_answer() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell);
            assert!(script.contains(&format!("maglevc {COMPLETE} ")), "{shell:?}");
            assert!(script.contains(FILES), "{shell:?}");
        }
    }
}
