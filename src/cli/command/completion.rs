//! What can be typed next: the grammar's words and the daemon's names.

use std::borrow::Cow;

use crate::cli::command::grammar::{GrammarToken, ValueSlot};
use crate::cli::command::parse::{self, ParseError, Suggestion};

/// A whole word that fits at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletionWord {
    /// The word, without quotes.
    pub text: String,
    /// Its purpose.
    pub help: Cow<'static, str>,
}

/// A list of names in the daemon.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NameList {
    Frontends,
    Backends,
    HealthChecks,
    /// Addresses that are announced, and the frontends that have them.
    Announcements,
    /// The pools of a frontend.
    Pools {
        frontend: String,
    },
    /// The backends of a frontend.
    Members {
        frontend: String,
        /// Only those of this pool.
        pool: Option<String>,
    },
}

impl NameList {
    /// The names for a slot after `words`; `None` for a slot of numbers.
    #[must_use]
    pub fn of<W: AsRef<str>>(slot: ValueSlot, words: &[W]) -> Option<Self> {
        let frontend = || parse::name_before(words, ValueSlot::Frontend);
        match slot {
            ValueSlot::Frontend => Some(Self::Frontends),
            ValueSlot::HealthCheck => Some(Self::HealthChecks),
            ValueSlot::Announcement => Some(Self::Announcements),
            ValueSlot::Pool => frontend().map(|frontend| Self::Pools { frontend }),
            ValueSlot::Backend => Some(match frontend() {
                Some(frontend) => {
                    Self::Members { frontend, pool: parse::name_before(words, ValueSlot::Pool) }
                }
                None => Self::Backends,
            }),
            ValueSlot::Weight | ValueSlot::Count | ValueSlot::Duration | ValueSlot::Reason => None,
        }
    }
}

/// Every whole word that fits after `words` and begins with `partial`. `names`
/// looks the daemon's names up, and may return none.
///
/// # Errors
/// For a word of `words` that does not fit.
pub fn candidates<W: AsRef<str>>(
    words: &[W],
    partial: &str,
    mut names: impl FnMut(&NameList) -> Vec<String>,
) -> Result<Vec<CompletionWord>, ParseError> {
    let mut found = Vec::new();
    for Suggestion { token, help } in parse::suggestions(words, partial)? {
        match token {
            GrammarToken::Word(word)
            | GrammarToken::Alias(word)
            | GrammarToken::Yielding(word)
            | GrammarToken::Whole(word) => {
                found.push(CompletionWord { text: word.to_owned(), help: help.into() });
            }
            GrammarToken::Slot(slot) => {
                let known = NameList::of(slot, words).map(|list| names(&list));
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
        let names = |list: &NameList| match list {
            NameList::Frontends => vec!["web".into(), "wiki".into()],
            NameList::Pools { frontend } => vec![format!("{frontend}-first")],
            NameList::Members { frontend, pool } => vec![format!("{frontend}/{pool:?}")],
            NameList::Announcements => vec!["192.0.2.1".into()],
            NameList::Backends | NameList::HealthChecks => vec![],
        };
        let found = candidates(words, partial, names).unwrap();
        found.into_iter().map(|candidate| candidate.text).collect()
    }

    #[test]
    fn words_and_names_are_both_candidates() {
        assert_eq!(found(&["sync", "vpp", "lb", "state"], ""), ["web", "wiki", "dry-run", "force"]);
        assert_eq!(found(&["sync", "vpp", "lb", "state"], "wi"), ["wiki"]);
        assert_eq!(found(&["sh", "frontend"], "x"), [] as [&str; 0]);
        assert_eq!(found(&["set", "announcement"], ""), ["192.0.2.1", "all"]);
    }

    #[test]
    fn names_depend_on_the_words_before() {
        assert_eq!(found(&["set", "frontend", "web", "pool"], ""), ["web-first"]);
        let words = ["set", "frontend", "web", "pool", "p", "backend"];
        assert_eq!(found(&words, ""), [r#"web/Some("p")"#]);
        assert_eq!(found(&["show", "frontend", "web", "if", "backend"], ""), ["web/None"]);
    }

    #[test]
    fn numbers_are_not_completed() {
        assert_eq!(found(&["watch", "events", "num"], ""), [] as [&str; 0]);
    }

    #[test]
    fn a_wrong_word_before_is_an_error() {
        assert!(candidates(&["shwo"], "", |_| Vec::new()).is_err());
    }
}
