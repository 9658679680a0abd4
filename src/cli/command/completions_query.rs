//! `maglevc __complete LINE`, which the completion scripts of system shells
//! run. It prints what can be typed at the end of the line: a word and its
//! purpose, a line each, with a tab between.

use clap::{Arg, CommandFactory, Parser, ValueHint};

use crate::cli::command::completion::{CompletionWord, NameList, candidates};
use crate::cli::command::completion_names;
use crate::cli::command::options::CliOptions;
use crate::cli::command::scripts::FILES;
use crate::cli::command::words;
use crate::cli::render::output;
use crate::cli::runtime::block_on;
use crate::client::connection::{DaemonAccess, DaemonClient};

/// Prints the completions of one line. For a wrong line, and for a daemon that
/// does not answer in time, there are fewer: TAB reports no errors.
pub fn print(line: &str) {
    let typed = words::split_at_cursor(line);
    let before = typed.before.get(1..).unwrap_or_default();
    let lines: String = match cursor_context(before, &typed.partial) {
        CursorContext::Files => format!("{FILES}\n"),
        CursorContext::Choice(choice) => choice.iter().map(line_of).collect(),
        CursorContext::Command { words, options } => {
            let found = command_words(&words, &typed.partial, &options);
            found.iter().map(line_of).collect()
        }
    };
    // It fails where the script no longer reads, and needs no report then.
    let _ = output::write(&lines);
}

fn line_of(candidate: &CompletionWord) -> String {
    format!("{}\t{}\n", candidate.text, candidate.help)
}

/// What the word at the end of a line belongs to.
#[derive(Debug, PartialEq, Eq)]
enum CursorContext {
    /// A value that is a file name.
    Files,
    /// An option or its value, which is one of these.
    Choice(Vec<CompletionWord>),
    /// A command: its words so far, and the options of the line.
    Command { words: Vec<String>, options: Vec<String> },
}

/// Divides the words before `partial` into options and words of the command.
fn cursor_context(before: &[String], partial: &str) -> CursorContext {
    let definition = CliOptions::command();
    let named = |word: &str| {
        let name = word.strip_prefix("--")?;
        definition.get_arguments().find(|arg| arg.get_long() == Some(name))
    };
    let takes_value = |arg: &Arg| arg.get_action().takes_values();
    let (mut words, mut options) = (Vec::new(), Vec::new());
    let mut rest = before.iter();
    while let Some(word) = rest.next() {
        if !word.starts_with('-') {
            words.push(word.clone());
            continue;
        }
        options.push(word.clone());
        if let Some(arg) = named(word).filter(|arg| takes_value(arg)) {
            match rest.next() {
                Some(value) => options.push(value.clone()),
                None => return value(arg, "", partial),
            }
        }
    }
    if let Some((option, prefix)) = partial.split_once('=')
        && let Some(arg) = named(option)
    {
        return value(arg, &format!("{option}="), prefix);
    }
    if partial.starts_with('-') {
        let all = definition.get_arguments().filter_map(|arg| Some((arg.get_long()?, arg)));
        let fitting = all.map(|(long, arg)| (format!("--{long}"), help(arg)));
        return CursorContext::Choice(choice(fitting, partial));
    }
    CursorContext::Command { words, options }
}

/// The possible values of an option; `head` precedes the value in its word.
fn value(arg: &Arg, head: &str, prefix: &str) -> CursorContext {
    if arg.get_value_hint() == ValueHint::FilePath {
        return CursorContext::Files;
    }
    let values = arg.get_possible_values();
    let values = values.iter().map(|value| {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        (value.get_name().to_owned(), help)
    });
    let found = choice(values, prefix).into_iter();
    CursorContext::Choice(
        found.map(|one| CompletionWord { text: format!("{head}{}", one.text), ..one }).collect(),
    )
}

fn help(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

fn choice(all: impl Iterator<Item = (String, String)>, prefix: &str) -> Vec<CompletionWord> {
    let fitting = all.filter(|(text, _)| text.starts_with(prefix));
    fitting.map(|(text, help)| CompletionWord { text, help: help.into() }).collect()
}

/// The command's next words and the names of the daemon that the options of
/// the line and the environment name.
fn command_words(words: &[String], partial: &str, options: &[String]) -> Vec<CompletionWord> {
    let program = std::iter::once("maglevc");
    let given = CliOptions::try_parse_from(program.chain(options.iter().map(String::as_str)));
    let servers = given.ok().and_then(|options| options.servers().ok());
    let access = servers.and_then(|servers| servers.access.into_iter().next());
    let names = |list: &NameList| access.as_ref().and_then(|access| fetch(access, list));
    candidates(words, partial, |list| names(list).unwrap_or_default()).unwrap_or_default()
}

fn fetch(access: &DaemonAccess, list: &NameList) -> Option<Vec<String>> {
    let query = async {
        let client = DaemonClient::lazy(access)?;
        Ok(completion_names::fetch(&client, list).await)
    };
    block_on(query).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> CursorContext {
        let typed = words::split_at_cursor(line);
        cursor_context(&typed.before[1..], &typed.partial)
    }

    fn texts(line: &str) -> Vec<String> {
        match found(line) {
            CursorContext::Choice(choice) => choice.into_iter().map(|one| one.text).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_are_separated_from_the_words_of_a_command() {
        let expected = CursorContext::Command {
            words: vec!["show".into(), "frontend".into()],
            options: vec!["--output".into(), "json".into(), "--server=h:1".into()],
        };
        assert_eq!(found("maglevc show --output json --server=h:1 frontend "), expected);
    }

    #[test]
    fn options_and_their_values_are_completed() {
        assert_eq!(texts("maglevc show --ou"), ["--output"]);
        assert_eq!(texts("maglevc --output "), ["text", "json"]);
        assert_eq!(texts("maglevc --color a"), ["auto", "always"]);
        assert_eq!(texts("maglevc --color=n"), ["--color=never"]);
        assert!(texts("maglevc --server ").is_empty(), "addresses are not completed");
    }
}
