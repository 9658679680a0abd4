//! What a text is rendered for: the moment, the width and whether it is
//! coloured. It is an argument everywhere, so that one input gives one text.

use crate::pb;

/// What a text is rendered for.
#[derive(Clone, Copy, Debug)]
pub struct RenderContext {
    /// Unix time in nanoseconds by the client's clock.
    pub now_ns: i64,
    /// Columns of the terminal; `None`: no terminal, nothing is cut.
    pub width: Option<usize>,
    /// Whether states are coloured.
    pub colour: bool,
}

/// The meaning of a piece of text, which decides its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Without a meaning of its own.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Wrong now.
    Bad,
    /// Not known, or about to change.
    Unsure,
    /// Held in this state by an operator.
    Held,
    /// Not in use.
    Faint,
    Title,
}

impl Tone {
    /// The tone of a state's name.
    #[must_use]
    pub fn of_state(state: &str) -> Self {
        match state {
            "up" => Self::Good,
            "down" => Self::Bad,
            "unknown" => Self::Unsure,
            "paused" | "disabled" => Self::Held,
            "removed" => Self::Faint,
            _ => Self::Plain,
        }
    }

    /// Select Graphic Rendition parameters (ECMA-48, 8.3.117).
    fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("32"),
            Self::Bad => Some("31"),
            Self::Unsure => Some("33"),
            Self::Held => Some("36"),
            Self::Faint => Some("2"),
            Self::Title => Some("1"),
        }
    }
}

impl RenderContext {
    /// What ages are counted from: the daemon's own clock, or the client's where the
    /// daemon does not send it (0).
    #[must_use]
    pub fn now_of_daemon(&self, now_unix_ns: i64) -> i64 {
        if now_unix_ns == 0 { self.now_ns } else { now_unix_ns }
    }

    /// `text` in the colour of its tone, if colours are wanted.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        match tone.sgr() {
            Some(sgr) if self.colour && !text.is_empty() => format!("\x1b[{sgr}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }
}

/// Rank of a state in lists: what is wrong comes first.
#[must_use]
pub fn urgency(state: &str) -> u8 {
    match state {
        "down" => 0,
        "unknown" => 1,
        "paused" => 2,
        "disabled" => 3,
        "up" => 5,
        // A state of a newer daemon: it is not simply up.
        _ => 4,
    }
}

/// That of a frontend: one that fails open is as urgent as one that is down.
#[must_use]
pub fn frontend_urgency(frontend: &pb::FrontendInfo) -> u8 {
    match &frontend.fail_open {
        Some(info) if info.open => urgency("down"),
        _ => urgency(&frontend.state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_coloured_only_where_it_is_wanted() {
        let plain = RenderContext { now_ns: 0, width: None, colour: false };
        let coloured = RenderContext { colour: true, ..plain };
        assert_eq!(plain.paint(Tone::Bad, "down"), "down");
        assert_eq!(coloured.paint(Tone::Bad, "down"), "\x1b[31mdown\x1b[0m");
        assert_eq!(coloured.paint(Tone::Plain, "text"), "text");
        assert_eq!(coloured.paint(Tone::Bad, ""), "");
    }

    #[test]
    fn the_clients_clock_counts_where_the_daemon_does_not_send_its_own() {
        let context = RenderContext { now_ns: 5, width: None, colour: false };
        assert_eq!((context.now_of_daemon(7), context.now_of_daemon(0)), (7, 5));
    }

    #[test]
    fn wrong_states_come_first() {
        let mut states = ["up", "disabled", "removed", "paused", "down", "unknown"];
        states.sort_by_key(|state| urgency(state));
        assert_eq!(states, ["down", "unknown", "paused", "disabled", "removed", "up"]);
    }
}
