//! Regular expressions whose cost is bounded: the one parser of those that the
//! configuration gives and probes match, so that what the file is checked for is
//! what probes do.
//!
//! The regex crate never takes exponential time, but time in proportion to text and
//! expression both: `[ab]*a[ab]{50000}c` on 64 KiB takes minutes. So an expression
//! must be short, counted in the characters that it can be in the middle of at
//! once, or have an automaton with one state at a time that is small.

use std::sync::Arc;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input, dfa};
use regex_syntax::hir::{Hir, HirKind};
use thiserror::Error;

/// Characters of an expression that is matched without more ado, repetitions
/// counted as often as they are: 64 KiB take half a millisecond for each at worst.
const FEW: u64 = 16;

/// The most for which an automaton is tried.
const MOST: u64 = 4096;

/// Bytes of an automaton with one state at a time. To match 64 KiB with it takes a
/// fifth of a millisecond, and where its states are reached for the first time some
/// milliseconds; to find out that it is larger, up to a fifth of a second.
const MAX_AUTOMATON: usize = 4 << 20;

/// Bytes of an expression compiled, and of the sets of places in it that the states
/// of its automaton stand for.
const MAX_COMPILED: usize = 1 << 20;

/// A cache that an automaton of [`MAX_AUTOMATON`] does not fill, whatever is matched.
const CACHE: usize = 16 << 20;

/// An expression that can be matched; clones share it.
#[derive(Clone, Debug)]
pub struct Pattern(Arc<Matcher>);

#[derive(Debug)]
enum Matcher {
    /// By whichever engine suits it.
    Short(regex::bytes::Regex),
    Stepwise(Box<StateMatcher>),
}

/// Matches state by state, of which each is made when it is reached first.
#[derive(Debug)]
struct StateMatcher {
    dfa: DFA,
    caches: Caches,
}

/// Working memory of those who match at the same time.
type Caches = Pool<Cache, MakeCache>;
type MakeCache =
    Box<dyn Fn() -> Cache + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>;

/// Why an expression cannot be used.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum PatternError {
    #[error("does not compile: {why}: correct the expression")]
    Syntax { why: String },
    /// `characters`: those of the expression, repetitions counted as often as they
    /// are.
    #[error(
        "can take {} to match 64 KiB: it has to keep up to {characters} places in mind at a time, \
         and more than {} of them only if that does not depend on the text before; bound a \
         repetition by what follows it, as in [^<]* or .* for .{{1,4000}}, repeat less often, or \
         match a shorter text{}",
        milliseconds(*.characters),
        FEW,
        if *.is_unicode { " (and write (?-u:\\b) for \\b, (?-u:\\w) for \\w)" } else { "" }
    )]
    Expensive { characters: u64, is_unicode: bool },
}

/// The time for so many characters at worst, as it is said.
fn milliseconds(characters: u64) -> String {
    match characters / 2 {
        under @ ..1000 => format!("{under} ms"),
        more => format!("{} s", more / 1000),
    }
}

impl Pattern {
    /// Compiles an expression, in the syntax of the regex crate.
    ///
    /// # Errors
    /// It does not compile, or to match with it may take too long.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let syntax = |error: &dyn std::error::Error| PatternError::Syntax { why: last_line(error) };
        let mut parser = regex_syntax::ParserBuilder::new().utf8(false).build();
        let hir = parser.parse(text).map_err(|error| syntax(&error))?;
        let characters = characters(&hir);
        if characters <= FEW {
            let regex = regex::bytes::Regex::new(text).map_err(|error| syntax(&error))?;
            return Ok(Self(Arc::new(Matcher::Short(regex))));
        }
        let is_unicode = ["\\b", "\\B", "\\w", "\\W", "\\d", "\\D", "\\s", "\\S", "\\p", "\\P"];
        let is_unicode = is_unicode.into_iter().any(|class| text.contains(class));
        let expensive = || PatternError::Expensive { characters, is_unicode };
        if characters > MOST {
            return Err(expensive());
        }
        let nfa = nfa(&hir).ok_or_else(expensive)?;
        let dfa = automaton(&nfa).ok_or_else(expensive)?;
        let made = dfa.clone();
        let caches: Caches = Pool::new(Box::new(move || made.create_cache()));
        Ok(Self(Arc::new(Matcher::Stepwise(Box::new(StateMatcher { dfa, caches })))))
    }

    /// Whether it is found anywhere in `text`, which need not be UTF-8.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        match &*self.0 {
            Matcher::Short(regex) => regex.is_match(text),
            Matcher::Stepwise(matcher) => {
                let input = Input::new(text).anchored(Anchored::No).earliest(true);
                // An error says that the cache was given up or a byte not taken,
                // for neither of which it is configured.
                let StateMatcher { dfa, caches } = &**matcher;
                dfa.try_search_fwd(&mut caches.get(), &input).is_ok_and(|found| found.is_some())
            }
        }
    }
}

fn nfa(hir: &Hir) -> Option<NFA> {
    let config = thompson::Config::new()
        .utf8(false)
        .nfa_size_limit(Some(MAX_COMPILED))
        .which_captures(WhichCaptures::None);
    thompson::Compiler::new().configure(config).build_from_hir(hir).ok()
}

/// The automaton, if all of its states together are few. They are all made for that
/// once, and not kept: most of them are never reached.
fn automaton(nfa: &NFA) -> Option<DFA> {
    let all = dfa::dense::Config::new()
        .start_kind(dfa::StartKind::Unanchored)
        .accelerate(false)
        .dfa_size_limit(Some(MAX_AUTOMATON))
        .determinize_size_limit(Some(MAX_COMPILED));
    dfa::dense::Builder::new().configure(all).build_from_nfa(nfa).ok()?;
    let config = DFA::config().cache_capacity(CACHE).skip_cache_capacity_check(true);
    DFA::builder().configure(config).build_from_nfa(nfa.clone()).ok()
}

/// The characters that an expression can be in the middle of at once: all that it
/// has. Each may be where a match has got to that began somewhere else.
fn characters(hir: &Hir) -> u64 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(_) => 1,
        HirKind::Capture(capture) => characters(&capture.sub),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min).max(1);
            characters(&repetition.sub).saturating_mul(u64::from(times))
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(characters).fold(0, u64::saturating_add)
        }
    }
}

/// An error's message has several lines, of which the last one says what is wrong.
fn last_line(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    #[test]
    fn what_takes_long_is_refused_with_the_figure_and_what_to_write() {
        for (text, time, characters) in [
            ("[ab]*a[ab]{50000}c", "25 s", 50_003),
            ("(?s)a.{0,9000}ok", "4 s", 9003),
            ("(?s)<title>.{1,4000}</title>", "2 s", 4015),
            ("(?s)<title>.{1,100}</title>", "57 ms", 115),
            ("(?:(?:[ab]?){1000}){1000}c", "500 s", 1_000_001),
        ] {
            let error = Pattern::new(text).unwrap_err();
            let begin =
                format!("can take {time} to match 64 KiB: it has to keep up to {characters} ");
            assert!(error.to_string().starts_with(&begin), "{error}");
            assert!(error.to_string().contains("[^<]*"), "{error}");
        }
        let error = Pattern::new(r"\bthe status is: good\b").unwrap_err();
        assert!(error.to_string().contains(r"write (?-u:\b) for \b"), "{error}");
        assert!(Pattern::new(r"(?-u:\b)the status is: good(?-u:\b)").is_ok());
        let error = Pattern::new("(ok").unwrap_err();
        assert_eq!(error.to_string(), "does not compile: unclosed group: correct the expression");
    }

    /// Expressions as health checks have them, with a text that matches.
    const USUAL: &[(&str, &str)] = &[
        ("^ok$", "ok"),
        (r"(?i)status\s*[:=]\s*(up|ok|ready)", "Status: Ready"),
        (r#""status":\s*"(ok|up)""#, "{\"status\": \"up\"}"),
        (
            r#"(?s)"checks":.*"db":\s*"ok".*"cache":\s*"ok""#,
            "\"checks\":\n\"db\": \"ok\"\n\"cache\":\"ok\"",
        ),
        ("<title>[^<]*</title>", "<html><title>\nx</title>"),
        ("(?s)<title>.*</title>", "<title>\n</title>"),
        ("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", "x01234567-89ab-cdefx"),
        (r"\bok\b", "it is ok."),
        (r"v\d{1,3}\.\d{1,3}\.\d{1,3}", "v1.22.333"),
        (r"^192\.0\.2\.\d{1,3}$", "192.0.2.1"),
        (r"\w+@\w+", "größe@ort"),
        ("Swagger UI|<html[^>]*>", "<html lang=de>"),
        (r"(?m)^ready$", "a\nready\nb"),
        ("[[:alnum:]]{1,64}@example", "someone@example"),
        (r"\A(ready\n)+read\z", "ready\nready\nread"),
    ];

    /// Texts of 64 KiB that keep an expression busy.
    fn busy() -> Vec<Vec<u8>> {
        let mut random = fastrand::Rng::with_seed(7);
        let mut of = |parts: &[&str]| {
            let mut text = Vec::new();
            while text.len() < 65_536 {
                text.extend_from_slice(parts[random.usize(..parts.len())].as_bytes());
            }
            text
        };
        vec![
            of(&["a", "b"]),
            of(&["<title>", "x", " "]),
            of(&["é", "漢", "a", " "]),
            of(&["0", "1", "."]),
        ]
    }

    #[test]
    fn usual_expressions_are_taken_and_match_in_milliseconds() {
        let texts = busy();
        for (pattern, text) in USUAL {
            let made = Pattern::new(pattern).unwrap_or_else(|error| panic!("{pattern} {error}"));
            assert!(made.is_match(text.as_bytes()), "{pattern}");
            assert!(!made.is_match(b"\xff nothing of the kind"), "{pattern}");
        }
        // The dearest that are taken, without an automaton and with one.
        let dearest = ["[ab]*a[ab]{13}c", "[ab]*a[ab]{9}c123456", r"(\w+\s){20}x"];
        for pattern in USUAL.iter().map(|(pattern, _)| *pattern).chain(dearest) {
            let made = Pattern::new(pattern).unwrap_or_else(|error| panic!("{pattern} {error}"));
            for text in &texts {
                // The best of some: other programs run beside this one. A build for
                // tests is some fifty times slower.
                let timed = |_| {
                    let begun = Instant::now();
                    std::hint::black_box(made.is_match(text));
                    begun.elapsed()
                };
                let best = (0..3).map(timed).min().unwrap();
                assert!(
                    best < Duration::from_millis(if cfg!(debug_assertions) { 800 } else { 16 }),
                    "{pattern} takes {best:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn it_matches_what_the_regex_crate_does(
            which in 0..USUAL.len(),
            text in "[a-z0-9<>/: .@\\n\"é]{0,60}",
            cut in any::<prop::sample::Index>(),
        ) {
            let (pattern, matching) = USUAL[which];
            let at = cut.index(text.chars().count() + 1);
            let (before, after) = text.split_at(text.char_indices().nth(at).map_or(text.len(), |(at, _)| at));
            for text in [text.clone(), format!("{before}{matching}{after}")] {
                let expected = regex::bytes::Regex::new(pattern).unwrap().is_match(text.as_bytes());
                prop_assert_eq!(Pattern::new(pattern).unwrap().is_match(text.as_bytes()), expected);
            }
        }
    }
}
