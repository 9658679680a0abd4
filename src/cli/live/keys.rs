//! The keys of the live view.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// A key, by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PressedKey {
    /// Leaves the view.
    Quit,
    /// Switches to the next order.
    Sort,
    /// Shows or hides pools and servers.
    Fold,
    /// Starts to type a filter.
    Filter,
    /// Appends to the filter.
    Letter(char),
    /// Removes the last letter of the filter.
    Erase,
    /// Ends typing, and keeps the filter.
    Accept,
    /// Removes the filter.
    Clear,
    /// Scrolls by lines, upwards if negative.
    Lines(i64),
    /// Scrolls by pages, upwards if negative.
    Pages(i64),
    /// Scrolls to the first line.
    Top,
    /// Scrolls to the last line.
    Bottom,
}

impl PressedKey {
    /// The meaning of a key, which differs while a filter is typed.
    #[must_use]
    pub fn of(key: &KeyEvent, typing: bool) -> Option<Self> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        Some(match (key.code, typing) {
            (KeyCode::Char('c' | 'd'), _) if control => Self::Quit,
            (KeyCode::Up, _) => Self::Lines(-1),
            (KeyCode::Down, _) => Self::Lines(1),
            (KeyCode::PageUp, _) => Self::Pages(-1),
            (KeyCode::PageDown, _) => Self::Pages(1),
            (KeyCode::Home, _) => Self::Top,
            (KeyCode::End, _) => Self::Bottom,
            (KeyCode::Esc, _) => Self::Clear,
            (KeyCode::Enter, true) => Self::Accept,
            (KeyCode::Backspace, true) => Self::Erase,
            (KeyCode::Char(letter), true) if !control => Self::Letter(letter),
            (KeyCode::Char('q'), false) => Self::Quit,
            (KeyCode::Char('s'), false) => Self::Sort,
            (KeyCode::Char('f'), false) => Self::Fold,
            (KeyCode::Char('/'), false) => Self::Filter,
            (KeyCode::Char('k'), false) => Self::Lines(-1),
            (KeyCode::Char('j'), false) => Self::Lines(1),
            (KeyCode::Char(' '), false) => Self::Pages(1),
            (KeyCode::Char('g'), false) => Self::Top,
            (KeyCode::Char('G'), false) => Self::Bottom,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers, typing: bool) -> Option<PressedKey> {
        PressedKey::of(&KeyEvent::new(code, modifiers), typing)
    }

    #[test]
    fn letters_are_commands_unless_a_filter_is_typed() {
        let none = KeyModifiers::NONE;
        for (letter, expected) in
            [('q', PressedKey::Quit), ('s', PressedKey::Sort), ('f', PressedKey::Fold)]
        {
            assert_eq!(key(KeyCode::Char(letter), none, false), Some(expected));
            assert_eq!(key(KeyCode::Char(letter), none, true), Some(PressedKey::Letter(letter)));
        }
        assert_eq!(key(KeyCode::Char('x'), none, false), None);
    }

    #[test]
    fn an_interrupt_leaves_even_while_a_filter_is_typed() {
        for typing in [false, true] {
            let pressed = key(KeyCode::Char('c'), KeyModifiers::CONTROL, typing);
            assert_eq!(pressed, Some(PressedKey::Quit));
            assert_eq!(key(KeyCode::Char('x'), KeyModifiers::CONTROL, typing), None);
        }
    }
}
