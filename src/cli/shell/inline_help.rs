//! What `?` prints: everything that can follow at the cursor with its help,
//! and the daemon's names.

use crate::api::views::text::printable;
use crate::cli::command::completion::NameList;
use crate::cli::command::grammar::{GrammarToken, ValueSlot};
use crate::cli::command::parse::{self, Suggestion};
use crate::cli::command::words::split_at_cursor;
use crate::cli::render::context::{RenderContext, Tone};

/// Names that are listed for a slot; the rest are counted.
const MAX_LISTED: usize = 24;

/// The help for a line that ends at the cursor, each line with its newline.
pub(super) fn help(
    line: &str,
    context: &RenderContext,
    mut names: impl FnMut(&NameList) -> Vec<String>,
) -> String {
    let typed = split_at_cursor(line);
    let suggestions = match parse::suggestions(&typed.before, &typed.partial) {
        Ok(suggestions) => suggestions,
        Err(error) => return context.paint(Tone::Bad, &error.to_string()) + "\n",
    };
    let mut rows: Vec<(String, String)> = Vec::new();
    if typed.partial.is_empty() && parse::is_complete(&typed.before) {
        rows.push(("<Enter>".into(), "the command is complete".into()));
    }
    let mut names_lines = Vec::new();
    for Suggestion { token, help } in suggestions {
        let (text, slot) = match token {
            GrammarToken::Word(word)
            | GrammarToken::Alias(word)
            | GrammarToken::Yielding(word)
            | GrammarToken::Whole(word) => (word, None),
            GrammarToken::Slot(slot) => (slot.placeholder(), Some(slot)),
        };
        rows.push((text.into(), help.into()));
        names_lines
            .extend(slot.map(|slot| names_line(slot, &typed.before, &typed.partial, &mut names)));
    }
    if rows.is_empty() {
        // The parser names the word that does not fit, and what would.
        let words: Vec<&String> = typed.before.iter().chain([&typed.partial]).collect();
        let message = parse::parse(&words).err().map(|error| error.to_string());
        let message = message.unwrap_or_else(|| "nothing can follow".into());
        return context.paint(Tone::Bad, &message) + "\n";
    }
    let width = rows.iter().map(|(text, _)| text.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (text, help) in rows {
        let blanks = " ".repeat(width - text.chars().count());
        out.push_str(&format!("  {}{blanks}  {help}\n", context.paint(Tone::Title, &text)));
    }
    out.extend(names_lines.into_iter().flatten());
    out
}

/// One line with the daemon's names that fit a slot.
fn names_line(
    slot: ValueSlot,
    before: &[String],
    partial: &str,
    names: &mut impl FnMut(&NameList) -> Vec<String>,
) -> Option<String> {
    let found = names(&NameList::of(slot, before)?);
    let mut fitting = found.iter().filter(|name| name.starts_with(partial));
    let shown: Vec<String> =
        fitting.by_ref().take(MAX_LISTED).map(|name| printable(name)).collect();
    let more = match fitting.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    (!shown.is_empty()).then(|| format!("  {}: {}{more}\n", slot.placeholder(), shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: RenderContext = RenderContext { now_ns: 0, width: None, colour: false };

    fn at(line: &str) -> String {
        help(line, &PLAIN, |names| match names {
            NameList::Backends => (0..30).map(|n| format!("nginx{n}")).collect(),
            _ => Vec::new(),
        })
    }

    #[test]
    fn words_are_listed_with_their_help() {
        let expected = "  check   list the faults of the file\n  \
                        reload  use the file, if it has no fault\n";
        assert_eq!(at("config "), expected);
        assert_eq!(at("config r"), "  reload  use the file, if it has no fault\n");
    }

    #[test]
    fn enter_is_offered_for_a_complete_command() {
        let text = at("show frontend web ");
        assert!(text.starts_with("  <Enter>  the command is complete\n  if "), "{text}");
        assert!(at("show version ").starts_with("  <Enter>  "));
    }

    #[test]
    fn names_are_listed_up_to_a_limit() {
        let text = at("show backend ");
        assert!(text.starts_with("  <backend>  state and transitions\n"), "{text}");
        assert!(text.contains("<backend>: nginx0, nginx1, "), "{text}");
        assert!(text.ends_with(", nginx23, and 6 more\n"), "{text}");
        assert!(at("show backend nginx29").ends_with("  <backend>: nginx29\n"));
    }

    #[test]
    fn a_word_that_does_not_fit_is_reported() {
        assert!(at("shwo ").contains("did you mean `show`?"));
        assert!(at("show backed").contains("did you mean `backend`?"));
        assert!(at("show version x").contains("nothing can follow"));
    }
}
