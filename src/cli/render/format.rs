//! The form of the output: text or JSON, colours, the terminal's width.

use std::io::IsTerminal;

use clap::ValueEnum;

/// When to write colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal that can, unless `NO_COLOR` is set (<https://no-color.org>).
    #[default]
    Auto,
    /// Wherever the output goes.
    Always,
    /// Not at all.
    Never,
}

/// The format of answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl ColorWhen {
    /// Whether output to `stream` is coloured.
    #[must_use]
    pub fn colour(self, stream: &impl IsTerminal) -> bool {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        self.decide(
            stream.is_terminal(),
            variable("NO_COLOR").is_some(),
            variable("TERM").is_some_and(|term| term == "dumb"),
        )
    }

    fn decide(self, terminal: bool, no_color: bool, dumb: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && !no_color && !dumb,
        }
    }
}

/// The columns of `stream`, if it is a terminal.
#[must_use]
pub fn width(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    // A serial line reports 0: not known.
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_colours_a_terminal_unless_the_environment_forbids_it() {
        assert!(ColorWhen::Auto.decide(true, false, false));
        assert!(!ColorWhen::Auto.decide(false, false, false));
        assert!(!ColorWhen::Auto.decide(true, true, false));
        assert!(!ColorWhen::Auto.decide(true, false, true));
        assert!(ColorWhen::Always.decide(false, true, true));
        assert!(!ColorWhen::Never.decide(true, false, false));
    }
}
