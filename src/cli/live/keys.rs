//! What the keys of the live view mean.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What the operator pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PressedKey {
    /// Leave.
    Quit,
    /// Another order.
    Sort,
    /// Servers shown or not.
    Fold,
    /// Begin a filter.
    Filter,
    /// A letter of the filter.
    Letter(char),
    /// The last letter of the filter goes.
    Erase,
    /// The filter is as it should be.
    Accept,
    /// No filter.
    Clear,
    /// Up (negative) or down by lines.
    Lines(i64),
    /// Up (negative) or down by pages.
    Pages(i64),
    /// To the first line.
    Top,
    /// To the last.
    Bottom,
}

impl PressedKey {
    /// What a key of the terminal means, which differs while a filter is
    /// typed.
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
    fn letters_are_keys_or_the_filter() {
        let none = KeyModifiers::NONE;
        for (letter, meant) in
            [('q', PressedKey::Quit), ('s', PressedKey::Sort), ('f', PressedKey::Fold)]
        {
            assert_eq!(key(KeyCode::Char(letter), none, false), Some(meant));
            assert_eq!(key(KeyCode::Char(letter), none, true), Some(PressedKey::Letter(letter)));
        }
        assert_eq!(key(KeyCode::Char('x'), none, false), None);
    }

    #[test]
    fn an_interrupt_leaves_even_a_filter() {
        for typing in [false, true] {
            let pressed = key(KeyCode::Char('c'), KeyModifiers::CONTROL, typing);
            assert_eq!(pressed, Some(PressedKey::Quit));
            assert_eq!(key(KeyCode::Char('x'), KeyModifiers::CONTROL, typing), None);
        }
    }
}
