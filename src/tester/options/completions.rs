//! Completion scripts of system shells, made of the options. There is nothing else
//! to complete: maglevt has no commands.

use std::fmt::Write as _;

use clap::{Arg, Command, ValueEnum, ValueHint};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CompletedShell {
    Bash,
    Zsh,
    Fish,
}

/// The script for a shell.
#[must_use]
pub fn script(shell: CompletedShell, command: &Command) -> String {
    let options: Vec<_> = command.get_arguments().filter_map(Completed::of).collect();
    match shell {
        CompletedShell::Bash => bash(&options),
        CompletedShell::Zsh => zsh(&options),
        CompletedShell::Fish => fish(&options),
    }
}

/// An option, as shells need it.
struct Completed<'a> {
    long: &'a str,
    help: String,
    takes_value: bool,
    is_file: bool,
    /// The only values, if there are few.
    values: Vec<String>,
}

impl<'a> Completed<'a> {
    fn of(arg: &'a Arg) -> Option<Self> {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let values = arg.get_possible_values();
        // A switch that may be given a value is given none as a rule.
        let least = arg.get_num_args().map_or(1, |range| range.min_values());
        let takes_value = arg.get_action().takes_values() && least > 0;
        Some(Self {
            long: arg.get_long()?,
            // Brackets, quotes and colons mean something to shells.
            help: help.replace(['[', ']', '\'', ':', '`'], ""),
            takes_value,
            is_file: arg.get_value_hint() == ValueHint::FilePath,
            values: if takes_value {
                values.iter().map(|value| value.get_name().to_owned()).collect()
            } else {
                Vec::new()
            },
        })
    }
}

const HEAD: &str = "written by `maglevt --completions";

fn bash(options: &[Completed<'_>]) -> String {
    let mut cases = String::new();
    for option in options.iter().filter(|option| option.takes_value) {
        let words = if option.is_file {
            "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$word\")"
                .into()
        } else {
            let words = option.values.join(" ");
            format!("mapfile -t COMPREPLY < <(compgen -W '{words}' -- \"$word\")")
        };
        // Writing to a String cannot fail.
        let _ = writeln!(cases, "        --{}) {words}; return ;;", option.long);
    }
    let longs: Vec<_> = options.iter().map(|option| format!("--{}", option.long)).collect();
    let longs = longs.join(" ");
    format!(
        "# Completion of maglevt for bash, {HEAD} bash`.\n\n_maglevt() {{\n    local word=${{COMP_WORDS[COMP_CWORD]}} \
         before=${{COMP_WORDS[COMP_CWORD-1]}}\n    COMPREPLY=()\n    case $before in\n{cases}    esac\n    \
         mapfile -t COMPREPLY < <(compgen -W '{longs} --help --version' -- \"$word\")\n}}\n\ncomplete -F \
         _maglevt maglevt\n"
    )
}

fn zsh(options: &[Completed<'_>]) -> String {
    let mut lines = String::new();
    for option in options {
        let value = match option {
            Completed { takes_value: false, .. } => String::new(),
            Completed { is_file: true, .. } => ":file:_files".into(),
            Completed { values, .. } if !values.is_empty() => {
                format!(":value:({})", values.join(" "))
            }
            _ => ":value:".into(),
        };
        let _ = writeln!(lines, "        '--{}[{}]{value}' \\", option.long, option.help);
    }
    format!(
        "#compdef maglevt\n# Completion of maglevt for zsh, {HEAD} zsh`.\n\n_maglevt() {{\n    _arguments \
         \\\n{lines}        '*:VIP\\:PORT:'\n}}\n\n\
         if [[ $funcstack[1] == _maglevt ]]; then\n    _maglevt \"$@\"\nelse\n    compdef _maglevt maglevt\nfi\n"
    )
}

fn fish(options: &[Completed<'_>]) -> String {
    let mut text =
        format!("# Completion of maglevt for fish, {HEAD} fish`.\n\ncomplete -c maglevt -f\n");
    for option in options {
        let value = match option {
            Completed { takes_value: false, .. } => String::new(),
            Completed { is_file: true, .. } => " -r -F".into(),
            Completed { values, .. } if !values.is_empty() => {
                format!(" -x -a '{}'", values.join(" "))
            }
            _ => " -x".into(),
        };
        let _ =
            writeln!(text, "complete -c maglevt -l {}{value} -d '{}'", option.long, option.help);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tester::options::TesterOptions;
    use clap::CommandFactory;

    #[test]
    fn every_option_is_in_every_script() {
        let command = TesterOptions::command();
        for shell in [CompletedShell::Bash, CompletedShell::Zsh, CompletedShell::Fish] {
            let script = script(shell, &command);
            for long in command.get_arguments().filter_map(Arg::get_long) {
                assert!(script.contains(long), "{long} is not in {script}");
            }
        }
    }
}
