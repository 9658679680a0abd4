//! The roles. Each may do what those before it may.

use std::fmt;

/// A later role may do all that an earlier one may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May ask who the daemon takes it for, and nothing else.
    #[default]
    Nobody,
    /// May see everything.
    Viewer,
    /// May change everything.
    Operator,
}

impl Role {
    /// The words, from the least role to the greatest.
    pub const WORDS: &[&str] = &["none", "viewer", "operator"];

    /// The word in flags, files, answers and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "none",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Nobody, Self::Viewer, Self::Operator].into_iter().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_word_and_they_are_in_order() {
        let roles: Vec<_> =
            Role::WORDS.iter().map(|word| Role::from_word(word).expect(word)).collect();
        assert_eq!(roles, [Role::Nobody, Role::Viewer, Role::Operator]);
        assert!(roles.is_sorted());
        for wrong in ["", "Operator", "admin", "nobody"] {
            assert_eq!(Role::from_word(wrong), None, "{wrong}");
        }
    }
}
