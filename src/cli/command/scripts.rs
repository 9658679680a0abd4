//! The scripts that teach a system shell to complete. They hold no command
//! themselves: they hand the line to `maglevc __complete`, which answers from
//! the grammar, the options and the daemon, so that none can be out of step.

use crate::cli::command::request::Shell;

/// The first argument by which a script asks. It is offered nowhere.
pub const ASK: &str = "__complete";

/// The answer that asks the shell for names of files instead.
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
    fn every_script_asks_by_the_word_that_is_answered() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = script(shell);
            assert!(script.contains(&format!("maglevc {ASK} ")), "{shell:?}");
            assert!(script.contains(FILES), "{shell:?}");
        }
    }
}
