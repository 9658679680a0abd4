//! `maglevc __complete LINE`, by which the scripts of system shells ask what
//! could be typed at the end of a line: a word and what it is for, a line
//! each, with a tab between.

use clap::{Arg, CommandFactory, Parser, ValueHint};

use crate::cli::command::completion::{CompletionWord, Names, candidates};
use crate::cli::command::completion_names;
use crate::cli::command::options::CliOptions;
use crate::cli::command::scripts::FILES;
use crate::cli::command::words;
use crate::cli::render::output;
use crate::client::server::{DaemonAccess, DaemonClient};

/// Answers for one line. A line that is wrong, or a daemon that does not
/// answer in time, is answered with less: a TAB is no place for errors.
pub fn answer(line: &str) {
    let typed = words::typed(line);
    let before = typed.before.get(1..).unwrap_or_default();
    let lines: String = match at(before, &typed.partial) {
        At::Files => format!("{FILES}\n"),
        At::Choice(choice) => choice.iter().map(shown).collect(),
        At::Command { words, options } => {
            let found = live(&words, &typed.partial, &options);
            found.iter().map(shown).collect()
        }
    };
    // Nobody reads any more: nobody needs to be told.
    let _ = output::write(&lines);
}

fn shown(candidate: &CompletionWord) -> String {
    format!("{}\t{}\n", candidate.text, candidate.help)
}

/// What the word at the end of a line is part of.
#[derive(Debug, PartialEq, Eq)]
enum At {
    /// A value that is the name of a file.
    Files,
    /// One of these: an option, or a value of one.
    Choice(Vec<CompletionWord>),
    /// A command: its words so far, and the options beside them.
    Command { words: Vec<String>, options: Vec<String> },
}

/// Sorts the words before `partial` into options and words of the command.
fn at(before: &[String], partial: &str) -> At {
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
    if let Some((option, begun)) = partial.split_once('=')
        && let Some(arg) = named(option)
    {
        return value(arg, &format!("{option}="), begun);
    }
    if partial.starts_with('-') {
        let all = definition.get_arguments().filter_map(|arg| Some((arg.get_long()?, arg)));
        let fitting = all.map(|(long, arg)| (format!("--{long}"), help(arg)));
        return At::Choice(choice(fitting, partial));
    }
    At::Command { words, options }
}

/// What the value of an option could be; `head` stands before it in its word.
fn value(arg: &Arg, head: &str, begun: &str) -> At {
    if arg.get_value_hint() == ValueHint::FilePath {
        return At::Files;
    }
    let values = arg.get_possible_values();
    let values = values.iter().map(|value| {
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        (value.get_name().to_owned(), help)
    });
    let found = choice(values, begun).into_iter();
    At::Choice(
        found.map(|one| CompletionWord { text: format!("{head}{}", one.text), ..one }).collect(),
    )
}

fn help(arg: &Arg) -> String {
    arg.get_help().map(ToString::to_string).unwrap_or_default()
}

fn choice(all: impl Iterator<Item = (String, String)>, begun: &str) -> Vec<CompletionWord> {
    let fitting = all.filter(|(text, _)| text.starts_with(begun));
    fitting.map(|(text, help)| CompletionWord { text, help: help.into() }).collect()
}

/// The command's next words, with the names that the daemon has. It is
/// reached as the options on the line and the environment say.
fn live(words: &[String], partial: &str, options: &[String]) -> Vec<CompletionWord> {
    let program = std::iter::once("maglevc");
    let given = CliOptions::try_parse_from(program.chain(options.iter().map(String::as_str)));
    let access = given.ok().and_then(|options| options.access().into_iter().next());
    let ask = |wanted: &Names| access.as_ref().and_then(|access| fetch(access, wanted));
    candidates(words, partial, |wanted| ask(wanted).unwrap_or_default()).unwrap_or_default()
}

fn fetch(access: &DaemonAccess, wanted: &Names) -> Option<Vec<String>> {
    let asked = async {
        let client = DaemonClient::lazy(access)?;
        Ok(completion_names::fetch(&client, wanted).await)
    };
    crate::cli::block_on(asked).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> At {
        let typed = words::typed(line);
        at(&typed.before[1..], &typed.partial)
    }

    fn texts(line: &str) -> Vec<String> {
        match found(line) {
            At::Choice(choice) => choice.into_iter().map(|one| one.text).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_are_told_from_the_words_of_a_command() {
        let expected = At::Command {
            words: vec!["show".into(), "frontend".into()],
            options: vec!["--output".into(), "json".into(), "--server=h:1".into()],
        };
        assert_eq!(found("maglevc show --output json --server=h:1 frontend "), expected);
    }

    #[test]
    fn options_and_their_values_are_offered() {
        assert_eq!(texts("maglevc show --ou"), ["--output"]);
        assert_eq!(texts("maglevc --output "), ["text", "json"]);
        assert_eq!(texts("maglevc --color a"), ["auto", "always"]);
        assert_eq!(texts("maglevc --color=n"), ["--color=never"]);
        assert!(texts("maglevc --server ").is_empty(), "nobody knows where daemons are");
    }
}
