//! What could be typed next: the grammar's words, and the names that the
//! daemon has at this moment.

use std::borrow::Cow;

use crate::cli::command::grammar::{GrammarToken, ValueSlot};
use crate::cli::command::parse::{self, ParseError, Suggestion};

/// A whole word that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletionWord {
    /// The word, as it is: not quoted.
    pub text: String,
    /// What it is for.
    pub help: Cow<'static, str>,
}

/// A list of names that the daemon has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Names {
    /// All frontends.
    Frontends,
    /// All backends.
    Backends,
    /// All health checks.
    HealthChecks,
    /// The pools of a frontend.
    Pools {
        /// The frontend.
        frontend: String,
    },
    /// The backends of a frontend.
    Members {
        /// The frontend.
        frontend: String,
        /// Only of this pool.
        pool: Option<String>,
    },
}

impl Names {
    /// The names that fit a slot behind `words`; `None` for a slot of numbers.
    #[must_use]
    pub fn of<W: AsRef<str>>(slot: ValueSlot, words: &[W]) -> Option<Self> {
        let frontend = || parse::named(words, ValueSlot::Frontend);
        match slot {
            ValueSlot::Frontend => Some(Self::Frontends),
            ValueSlot::HealthCheck => Some(Self::HealthChecks),
            ValueSlot::Pool => frontend().map(|frontend| Self::Pools { frontend }),
            ValueSlot::Backend => Some(match frontend() {
                Some(frontend) => {
                    Self::Members { frontend, pool: parse::named(words, ValueSlot::Pool) }
                }
                None => Self::Backends,
            }),
            ValueSlot::Weight | ValueSlot::Count => None,
        }
    }
}

/// Every whole word that could stand behind `words` and begins with `partial`.
/// `names` looks the live ones up; none is an answer.
///
/// # Errors
/// For a word of `words` that does not fit.
pub fn candidates<W: AsRef<str>>(
    words: &[W],
    partial: &str,
    mut names: impl FnMut(&Names) -> Vec<String>,
) -> Result<Vec<CompletionWord>, ParseError> {
    let mut found = Vec::new();
    for Suggestion { token, help } in parse::offers(words, partial)? {
        match token {
            GrammarToken::Word(word) | GrammarToken::Alias(word) | GrammarToken::Yielding(word) => {
                found.push(CompletionWord { text: word.to_owned(), help: help.into() });
            }
            GrammarToken::Slot(slot) => {
                let known = Names::of(slot, words).map(|wanted| names(&wanted));
                let known = known.into_iter().flatten().filter(|name| name.starts_with(partial));
                found.extend(known.map(|text| CompletionWord { text, help: help.into() }));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], partial: &str) -> Vec<String> {
        let names = |names: &Names| match names {
            Names::Frontends => vec!["web".into(), "wiki".into()],
            Names::Pools { frontend } => vec![format!("{frontend}-first")],
            Names::Members { frontend, pool } => vec![format!("{frontend}/{pool:?}")],
            Names::Backends | Names::HealthChecks => vec![],
        };
        let found = candidates(words, partial, names).unwrap();
        found.into_iter().map(|candidate| candidate.text).collect()
    }

    #[test]
    fn words_and_names_stand_side_by_side() {
        assert_eq!(found(&["sync", "vpp", "lb", "state"], ""), ["web", "wiki", "dry-run"]);
        assert_eq!(found(&["sync", "vpp", "lb", "state"], "wi"), ["wiki"]);
        assert_eq!(found(&["sh", "frontend"], "x"), [] as [&str; 0]);
    }

    #[test]
    fn names_are_those_of_what_stands_before() {
        assert_eq!(found(&["set", "frontend", "web", "pool"], ""), ["web-first"]);
        let words = ["set", "frontend", "web", "pool", "p", "backend"];
        assert_eq!(found(&words, ""), [r#"web/Some("p")"#]);
        assert_eq!(found(&["show", "frontend", "web", "if", "backend"], ""), ["web/None"]);
    }

    #[test]
    fn numbers_are_not_guessed() {
        assert_eq!(found(&["watch", "events", "num"], ""), [] as [&str; 0]);
    }

    #[test]
    fn a_wrong_word_before_is_told() {
        assert!(candidates(&["shwo"], "", |_| Vec::new()).is_err());
    }
}
