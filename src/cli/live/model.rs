//! What the live view shows: the mirror of the daemon, and how the operator
//! wants to see it. A value; it reads no clock and draws nothing.

use super::keys::PressedKey;
use crate::client::mirror::{Mirror, MirrorUpdate};

/// In which order frontends are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SortOrder {
    /// What is wrong first, then by name.
    #[default]
    Urgency,
    /// By name.
    Name,
    /// The latest change first.
    Latest,
}

impl SortOrder {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Urgency => "wrong first",
            Self::Name => "by name",
            Self::Latest => "latest first",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Urgency => Self::Name,
            Self::Name => Self::Latest,
            Self::Latest => Self::Urgency,
        }
    }
}

/// The mirror of a daemon, and the view of it.
#[derive(Debug)]
pub struct LiveModel {
    /// The daemon's address, for the heading.
    pub(super) server: String,
    pub(super) mirror: Mirror,
    pub(super) order: SortOrder,
    /// Whether only frontends are shown.
    pub(super) folded: bool,
    pub(super) filter: String,
    pub(super) typing: bool,
    /// The first row shown.
    pub(super) top: usize,
    /// Rows of the table, as it was last drawn; 0: it was never drawn.
    pub(super) page: usize,
}

impl LiveModel {
    /// The view of a daemon of which nothing is known yet.
    #[must_use]
    pub fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            mirror: Mirror::default(),
            order: SortOrder::default(),
            folded: false,
            filter: String::new(),
            typing: false,
            top: 0,
            page: 0,
        }
    }

    /// Whether it was never drawn.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.page == 0
    }

    /// Whether keys are letters of the filter.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.typing
    }

    /// Applies what was received from the daemon.
    pub fn update(&mut self, update: MirrorUpdate) {
        self.mirror.apply(update);
    }

    /// Applies a key; true: the operator leaves the view.
    pub fn press(&mut self, key: PressedKey) -> bool {
        match key {
            PressedKey::Quit => return true,
            PressedKey::Sort => self.order = self.order.next(),
            PressedKey::Fold => self.folded = !self.folded,
            PressedKey::Filter => self.typing = true,
            PressedKey::Letter(letter) => self.filter.push(letter),
            PressedKey::Erase => drop(self.filter.pop()),
            PressedKey::Accept => self.typing = false,
            PressedKey::Clear => {
                self.typing = false;
                self.filter.clear();
            }
            PressedKey::Lines(lines) => self.scroll(lines),
            PressedKey::Pages(pages) => {
                let page = i64::try_from(self.page).unwrap_or(i64::MAX);
                self.scroll(pages.saturating_mul(page));
            }
            PressedKey::Top => self.top = 0,
            PressedKey::Bottom => self.top = usize::MAX,
        }
        if !matches!(
            key,
            PressedKey::Lines(_) | PressedKey::Pages(_) | PressedKey::Top | PressedKey::Bottom
        ) {
            self.top = 0;
        }
        false
    }

    fn scroll(&mut self, lines: i64) {
        let lines = isize::try_from(lines).unwrap_or(0);
        self.top = self.top.saturating_add_signed(lines);
    }

    /// Fits the scroll position to a table of `page` lines for `rows` rows, so
    /// that no line stays empty while there are rows above.
    pub(super) fn fit(&mut self, rows: usize, page: usize) {
        self.page = page.max(1);
        self.top = self.top.min(rows.saturating_sub(page));
    }
}
