//! What the beginning of a word is taken for, where that could be several.

use super::{message, parsed, request};
use crate::cli::command::grammar::GrammarToken;
use crate::cli::command::parse::suggestions;
use crate::cli::command::request::{CliCommand, DaemonRequest, Shell};

#[test]
fn a_yielding_word_takes_no_prefix_from_another() {
    assert_eq!(parsed("c r"), request(DaemonRequest::ConfigReload { force: false }));
    assert_eq!(parsed("comp z"), Ok(CliCommand::Completions(Shell::Zsh)));
    let suggested = suggestions(&[] as &[&str], "co").unwrap();
    let words: Vec<GrammarToken> =
        suggested.into_iter().map(|suggestion| suggestion.token).collect();
    let expected = [
        GrammarToken::Whole("compare"),
        GrammarToken::Word("config"),
        GrammarToken::Yielding("completions"),
    ];
    assert_eq!(words, expected);
    assert_eq!(parsed("ex"), Ok(CliCommand::Quit));
    let explained = DaemonRequest::ExplainFrontend { name: "web".into() };
    assert_eq!(parsed("exp f web"), request(explained));
}

#[test]
fn force_is_never_meant_by_a_part_of_it() {
    let sync = |frontend: Option<&str>, force| {
        request(DaemonRequest::Sync { frontend: frontend.map(Into::into), dry_run: false, force })
    };
    assert_eq!(parsed("sync vpp lb state forc"), sync(Some("forc"), false));
    assert_eq!(parsed("sync vpp lb state f"), sync(Some("f"), false));
    assert_eq!(parsed("sync vpp lb state force"), sync(None, true));
    assert!(message("config reload forc").contains("possible: force"));
    let suggested = suggestions(&["config", "reload"], "f").unwrap();
    assert_eq!(suggested[0].token, GrammarToken::Whole("force"));
}
