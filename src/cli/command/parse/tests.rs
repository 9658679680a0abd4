//! Tests of the parser: what it accepts, its error messages, and that
//! completion suggests everything that it accepts.

mod announcements;
mod overrides;
mod prefixes;

use proptest::prelude::*;

use super::*;
use crate::cli::command::request::{
    BackendChange, DaemonRequest, LogLevelWord, OverrideTerms, TimelineQuery, WatchOptions,
};

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn parsed(line: &str) -> Result<CliCommand, ParseError> {
    parse(&words(line))
}

fn message(line: &str) -> String {
    parsed(line).unwrap_err().to_string()
}

fn request(request: DaemonRequest) -> Result<CliCommand, ParseError> {
    Ok(CliCommand::Request(request))
}

/// Every command once, options and aliases included.
const LINES: &[&str] = &[
    "show version",
    "show frontends",
    "show frontend web",
    "show backends",
    "show backend nginx0",
    "show healthchecks",
    "show healthcheck http",
    "show vpp info",
    "show vpp lb state",
    "show vpp lb counters",
    "show vpp lbstate",
    "show timeline",
    "show timeline since 1h30m backend nginx0",
    "show timeline frontend web since 2d",
    "explain backend nginx0",
    "explain frontend web",
    "compare",
    "set backend nginx0 pause",
    "set backend nginx0 resume",
    "set backend nginx0 enable",
    "set backend nginx0 disable",
    "set frontend web pool primary backend nginx0 weight 50",
    "sync vpp lb state",
    "sync vpp lb state web",
    "sync vpp lb state web dry-run",
    "sync vpp lb state dry-run",
    "sync vpp lb state force",
    "sync vpp lb state force dry-run",
    "sync vpp lbstate web dry-run",
    "config check",
    "config reload",
    "config reload force",
    "completions bash",
    "completions zsh",
    "completions fish",
    "watch state",
    "watch events",
    "watch events num 3 log level warn backend frontend dataplane",
    "watch events dataplane log num 3",
    "watch events hold",
    "help",
    "quit",
    "exit",
];

#[test]
fn every_command_is_parsed() {
    for line in LINES {
        assert!(parsed(line).is_ok(), "{line}");
    }
}

#[test]
fn every_path_of_the_grammar_ends_in_a_command() {
    /// Counts the commands below a place.
    fn walk(typed: &mut Vec<String>, depth: usize) -> usize {
        let next = suggestions(typed, "").unwrap();
        let mut ends = usize::from(parse(typed).is_ok());
        assert!(ends > 0 || !next.is_empty(), "dead end: {typed:?}");
        // Options may come in any order: deeper than this only repeats them.
        if depth == 0 {
            return ends;
        }
        for suggestion in next {
            typed.push(match suggestion.token {
                GrammarToken::Word(word)
                | GrammarToken::Alias(word)
                | GrammarToken::Yielding(word)
                | GrammarToken::Whole(word) => word.into(),
                GrammarToken::Slot(ValueSlot::Duration) => "7s".into(),
                GrammarToken::Slot(_) => "7".into(),
            });
            ends += walk(typed, depth - 1);
            typed.pop();
        }
        ends
    }
    assert!(walk(&mut Vec::new(), 8) > 22);
}

#[test]
fn words_are_parsed_to_their_command() {
    let cases = [
        ("sh frontend web", DaemonRequest::ShowFrontend { name: "web".into() }),
        ("show vpp lbstate", DaemonRequest::ShowVppLbState),
        ("show vpp l s", DaemonRequest::ShowVppLbState),
        ("show vpp lbs", DaemonRequest::ShowVppLbState),
        ("sy v l s", DaemonRequest::Sync { frontend: None, dry_run: false, force: false }),
        (
            "sync vpp lbstate dry",
            DaemonRequest::Sync { frontend: None, dry_run: true, force: false },
        ),
        (
            "sync vpp lb state force",
            DaemonRequest::Sync { frontend: None, dry_run: false, force: true },
        ),
        (
            "sync vpp lb state dry-run web",
            DaemonRequest::Sync { frontend: Some("web".into()), dry_run: true, force: false },
        ),
        (
            "se b nginx0 d",
            DaemonRequest::SetBackend {
                name: "nginx0".into(),
                change: BackendChange::Disable,
                terms: OverrideTerms::default(),
            },
        ),
        (
            "set f web p primary b nginx0 w 0",
            DaemonRequest::SetWeight {
                frontend: "web".into(),
                pool: "primary".into(),
                backend: "nginx0".into(),
                weight: Some(0),
                terms: OverrideTerms::default(),
            },
        ),
        ("c r", DaemonRequest::ConfigReload { force: false }),
        ("explain backend a", DaemonRequest::ExplainBackend { name: "a".into() }),
        (
            "sh t b a since 1h",
            DaemonRequest::ShowTimeline(TimelineQuery {
                backend: Some("a".into()),
                frontend: None,
                since: Some(std::time::Duration::from_secs(3600)),
            }),
        ),
        ("config reload force", DaemonRequest::ConfigReload { force: true }),
    ];
    for (line, expected) in cases {
        assert_eq!(parsed(line), request(expected), "{line}");
    }
}

#[test]
fn an_exact_word_wins_over_longer_ones() {
    assert_eq!(
        parsed("show backend backends"),
        request(DaemonRequest::ShowBackend { name: "backends".into() })
    );
    assert_eq!(parsed("show backends"), request(DaemonRequest::ShowBackends));
}

#[test]
fn a_typing_error_is_recognised_and_another_word_is_not() {
    let cases = [
        ("cnofig check", Some("config")),
        ("show backedns", Some("backends")),
        ("show vpp lb sttae", Some("state")),
        ("set backend b disbale", Some("disable")),
        ("list backends", None),
        ("show xyz", None),
    ];
    for (line, expected) in cases {
        let message = message(line);
        let found = message.split_once("did you mean `").map(|(_, rest)| rest);
        assert_eq!(found.and_then(|rest| rest.split('`').next()), expected, "{message}");
    }
}

#[test]
fn a_name_is_found_by_its_kind() {
    let words = ["se", "f", "web", "p", "primary", "b"];
    assert_eq!(name_before(&words, ValueSlot::Frontend).as_deref(), Some("web"));
    assert_eq!(name_before(&words, ValueSlot::Pool).as_deref(), Some("primary"));
    assert_eq!(name_before(&words, ValueSlot::Backend), None);
    assert!(
        is_complete(&["show", "version"])
            && !is_complete(&["show"])
            && !is_complete(&[] as &[&str])
    );
}

#[test]
fn watch_accepts_its_options_in_any_order_and_once() {
    let expected = WatchOptions {
        count: Some(5),
        log: true,
        level: Some(LogLevelWord::Warn),
        ..WatchOptions::default()
    };
    for line in ["watch events num 5 log level warn", "w e l l w n 5"] {
        assert_eq!(parsed(line), Ok(CliCommand::WatchEvents(expected.clone())), "{line}");
    }
    let both = WatchOptions { backend: true, frontend: true, ..WatchOptions::default() };
    assert_eq!(parsed("watch events frontend backend"), Ok(CliCommand::WatchEvents(both)));
    assert_eq!(
        message("watch events backend backend"),
        "`backend` is not possible after `watch events backend`; possible: num, log, frontend, dataplane, hold, drain, audit, announcement"
    );
}

#[test]
fn every_error_names_the_word_and_what_was_possible() {
    let cases = [
        (
            "",
            "no command given; possible: show, explain, compare, set, unset, drain, undrain, withdraw, announce, sync, config, watch, completions, help, quit, exit",
        ),
        (
            "shwo version",
            "`shwo` is not possible as a command; did you mean `show`? possible: show, explain, compare, set, unset, drain, undrain, withdraw, announce, sync, config, watch, completions, help, quit, exit",
        ),
        ("s version", "`s` is ambiguous as a command: it could be show, set, sync"),
        ("sh fro", "`fro` is ambiguous after `show`: it could be frontends, frontend"),
        ("sh vpp", "`show vpp` is not complete; possible next: info, doctor, lb"),
        ("show frontend", "`show frontend` is not complete; possible next: <frontend>"),
        (
            "show vpp lbx",
            "`lbx` is not possible after `show vpp`; did you mean `lb`? possible: info, doctor, lb",
        ),
        (
            "show version now",
            "`now` is not possible after `show version`; nothing can follow there",
        ),
        (
            "set backend a stop",
            "`stop` is not possible after `set backend a`; possible: pause, resume, enable, disable",
        ),
        (
            "set frontend f pool p backend b weight 101",
            "`101` is not a weight from 0 to 100 (after `set frontend f pool p backend b weight`)",
        ),
        (
            "set frontend f pool p backend b weight -1",
            "`-1` is not a weight from 0 to 100 (after `set frontend f pool p backend b weight`)",
        ),
        (
            "show timeline since soon",
            "`soon` is not how long, such as 2h, 1d12h or 90s (after `show timeline since`)",
        ),
        ("watch events num 0", "`0` is not a number from 1 on (after `watch events num`)"),
        (
            "watch events log level loud",
            "`loud` is not possible after `watch events log level`; possible: debug, info, warn, error",
        ),
        (
            "sync vpp lb state web wet-run",
            "`wet-run` is not possible after `sync vpp lb state web`; possible: dry-run, force",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(message(line), expected, "{line}");
    }
}

#[test]
fn an_empty_or_unprintable_word_is_no_prefix() {
    for strange in ["", "\x1b[2J"] {
        let error = parse(&["watch", strange]).unwrap_err();
        assert!(matches!(error, ParseError::Unknown { .. }), "{error:?}");
        assert!(!error.to_string().contains('\x1b'));
        assert!(parse(&["show", "frontend", strange]).is_err());
    }
}

/// A word, whole or shortened, or something else in its place.
fn typed(line: &'static str) -> impl Strategy<Value = Vec<String>> {
    let word = |word: &'static str| {
        let cut = (1..=word.len()).prop_map(move |end| word[..end].to_owned());
        prop_oneof![8 => cut, 1 => "[a-z0-9-]{0,4}"]
    };
    words(line).into_iter().map(word).collect::<Vec<_>>()
}

proptest! {
    /// The lines are written out above, not read from the grammar: what the
    /// parser accepts of them is independent of completion.
    #[test]
    fn completion_suggests_every_prefix_that_the_parser_accepts(
        typed in proptest::sample::select(LINES).prop_flat_map(typed)
    ) {
        for end in 1..=typed.len() {
            let accepted = matches!(parse(&typed[..end]), Ok(_) | Err(ParseError::Incomplete { .. }));
            if !accepted {
                break;
            }
            let last = typed[end - 1].as_str();
            let suggested = suggestions(&typed[..end - 1], last).unwrap();
            let matches = |suggestion: &Suggestion| match suggestion.token {
                GrammarToken::Word(word) | GrammarToken::Alias(word) | GrammarToken::Yielding(word) | GrammarToken::Whole(word) => word.starts_with(last),
                GrammarToken::Slot(slot) => slot.parse(last).is_some(),
            };
            prop_assert!(!suggested.is_empty() && suggested.iter().all(matches), "{typed:?}: {suggested:?}");
        }
    }

    /// And conversely: every suggested word is accepted.
    #[test]
    fn the_parser_accepts_every_word_that_completion_suggestions(
        typed in proptest::sample::select(LINES).prop_flat_map(typed)
    ) {
        let (partial, before) = typed.split_last().unwrap();
        for suggestion in suggestions(before, partial).unwrap_or_default() {
            if let GrammarToken::Word(word) | GrammarToken::Alias(word) | GrammarToken::Yielding(word) | GrammarToken::Whole(word) = suggestion.token
            {
                let mut whole = before.to_vec();
                whole.push(word.to_owned());
                let result = parse(&whole);
                prop_assert!(
                    matches!(result, Ok(_) | Err(ParseError::Incomplete { .. })),
                    "{whole:?}: {result:?}"
                );
            }
        }
    }
}
