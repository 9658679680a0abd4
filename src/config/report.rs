//! Places in the file, and the faults and warnings found so far.

use std::fmt;

use super::error::FaultList;
use super::fault::{ConfigFault, Problem};
use super::warnings::{Warning, WarningKind};
use crate::domain::names::is_usable;

/// A place in the file, below `maglev`. No text is made until it is printed.
#[derive(Clone, Copy)]
pub(super) enum ConfigPath<'a> {
    Root,
    Key(&'a ConfigPath<'a>, &'a str),
    Index(&'a ConfigPath<'a>, usize),
}

impl<'a> ConfigPath<'a> {
    pub(super) fn key(&'a self, key: &'a str) -> Self {
        Self::Key(self, key)
    }

    pub(super) fn index(&'a self, index: usize) -> Self {
        Self::Index(self, index)
    }
}

/// `frontends.web.pools[1].backends.nginx9`. A name that breaks the rule of
/// names is quoted, so that a fault stays one line.
impl fmt::Display for ConfigPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(parent, key) => {
                if !matches!(parent, Self::Root) {
                    write!(f, "{parent}.")?;
                }
                if is_usable(key) { f.write_str(key) } else { write!(f, "{key:?}") }
            }
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// So many faults of a file are kept, and so many warnings; the others are counted.
/// More of them at once are of one cause, or more than anybody reads.
pub(super) const MOST_SHOWN: usize = 100;

/// The faults and warnings of one file.
#[derive(Default)]
pub(super) struct FaultReport {
    pub(super) faults: FaultList,
    warnings: Vec<Warning>,
    more_warnings: usize,
}

impl FaultReport {
    pub(super) fn fault(&mut self, at: &ConfigPath<'_>, problem: Problem) {
        if self.faults.first.len() < MOST_SHOWN {
            self.faults.first.push(ConfigFault { path: at.to_string(), problem });
        } else {
            self.faults.more += 1;
        }
    }

    /// Adds a fault, and returns no value.
    pub(super) fn refuse<T>(
        &mut self,
        at: &ConfigPath<'_>,
        problem: impl Into<Problem>,
    ) -> Option<T> {
        self.fault(at, problem.into());
        None
    }

    pub(super) fn warn(&mut self, at: &ConfigPath<'_>, kind: WarningKind) {
        if self.warnings.len() < MOST_SHOWN {
            self.warnings.push(Warning { path: at.to_string(), kind });
        } else {
            self.more_warnings += 1;
        }
    }

    /// The warnings; the last one says how many more there are.
    pub(super) fn into_warnings(self) -> Vec<Warning> {
        let Self { mut warnings, more_warnings: more, .. } = self;
        if more > 0 {
            warnings.push(Warning { path: "maglev".into(), kind: WarningKind::More { more } });
        }
        warnings
    }

    /// `given`, or the fault that it is missing, which says what to `give`.
    pub(super) fn require<T>(
        &mut self,
        at: &ConfigPath<'_>,
        given: Option<T>,
        give: &'static str,
    ) -> Option<T> {
        given.or_else(|| self.refuse(at, Problem::Missing { give }))
    }

    /// Adds a fault unless the name, which ends `at`, is usable.
    pub(super) fn name(&mut self, at: &ConfigPath<'_>, name: &str) {
        if !is_usable(name) {
            self.fault(at, Problem::BadName);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_printed_as_a_path_of_keys() {
        let frontends = ConfigPath::Root.key("frontends");
        let web = frontends.key("web");
        let pools = web.key("pools");
        let second = pools.index(1);
        assert_eq!(second.key("name").to_string(), "frontends.web.pools[1].name");
        assert_eq!(frontends.key("a b\n").to_string(), r#"frontends."a b\n""#);
    }

    #[test]
    fn a_name_is_one_printable_word() {
        for good in ["web", "www.example.org", "nginx-0_a", "größe", "7", "a:b@c", "日本"] {
            assert!(is_usable(good), "{good}");
        }
        let zero_width = "a\u{200b}b";
        for bad in ["", "a b", "a/b", "a\\b", "a\"b", "it's", "a\tb", "a\u{7f}", zero_width] {
            assert!(!is_usable(bad), "{bad:?}");
        }
        assert!(is_usable(&"ü".repeat(128)));
        assert!(!is_usable(&"a".repeat(129)));
    }
}
