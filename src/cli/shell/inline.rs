//! What `?` shows: everything that could follow at the cursor, with what it
//! is for, and the names that the daemon has.

use crate::cli::command::completion::Names;
use crate::cli::command::grammar::{GrammarToken, ValueSlot};
use crate::cli::command::parse::{self, Suggestion};
use crate::cli::command::words::typed;
use crate::cli::render::context::{RenderContext, Tone, printable};

/// Names listed under a slot; more are counted.
const LISTED: usize = 24;

/// The help for a line that ends at the cursor, each line with its newline.
pub(super) fn help(
    line: &str,
    page: &RenderContext,
    mut names: impl FnMut(&Names) -> Vec<String>,
) -> String {
    let typed = typed(line);
    let offers = match parse::offers(&typed.before, &typed.partial) {
        Ok(offers) => offers,
        Err(error) => return page.paint(Tone::Bad, &error.to_string()) + "\n",
    };
    let mut rows: Vec<(String, String)> = Vec::new();
    if typed.partial.is_empty() && parse::complete(&typed.before) {
        rows.push(("<Enter>".into(), "the command is complete".into()));
    }
    let mut known = Vec::new();
    for Suggestion { token, help } in offers {
        let (text, slot) = match token {
            GrammarToken::Word(word) | GrammarToken::Alias(word) | GrammarToken::Yielding(word) => {
                (word, None)
            }
            GrammarToken::Slot(slot) => (slot.placeholder(), Some(slot)),
        };
        rows.push((text.into(), help.into()));
        known.extend(slot.map(|slot| listed(slot, &typed.before, &typed.partial, &mut names)));
    }
    if rows.is_empty() {
        // The parser says why, and what could stand there.
        let words: Vec<&String> = typed.before.iter().chain([&typed.partial]).collect();
        let said = parse::parse(&words).err().map(|error| error.to_string());
        let said = said.unwrap_or_else(|| "nothing can follow".into());
        return page.paint(Tone::Bad, &said) + "\n";
    }
    let width = rows.iter().map(|(text, _)| text.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (text, help) in rows {
        let blanks = " ".repeat(width - text.chars().count());
        out.push_str(&format!("  {}{blanks}  {help}\n", page.paint(Tone::Title, &text)));
    }
    out.extend(known.into_iter().flatten());
    out
}

/// The live names that a slot would take, on a line.
fn listed(
    slot: ValueSlot,
    before: &[String],
    partial: &str,
    names: &mut impl FnMut(&Names) -> Vec<String>,
) -> Option<String> {
    let found = names(&Names::of(slot, before)?);
    let mut fitting = found.iter().filter(|name| name.starts_with(partial));
    let shown: Vec<String> = fitting.by_ref().take(LISTED).map(|name| printable(name)).collect();
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
            Names::Backends => (0..30).map(|n| format!("nginx{n}")).collect(),
            _ => Vec::new(),
        })
    }

    #[test]
    fn words_are_shown_with_what_they_are_for() {
        let expected = "  check   list the faults of the file\n  \
                        reload  use the file, if it has no fault\n";
        assert_eq!(at("config "), expected);
        assert_eq!(at("config r"), "  reload  use the file, if it has no fault\n");
    }

    #[test]
    fn a_complete_command_says_so() {
        let text = at("show frontend web ");
        assert!(text.starts_with("  <Enter>  the command is complete\n  if "), "{text}");
        assert!(at("show version ").starts_with("  <Enter>  "));
    }

    #[test]
    fn names_are_listed_up_to_a_bound() {
        let text = at("show backend ");
        assert!(text.starts_with("  <backend>  state and transitions\n"), "{text}");
        assert!(text.contains("<backend>: nginx0, nginx1, "), "{text}");
        assert!(text.ends_with(", nginx23, and 6 more\n"), "{text}");
        assert!(at("show backend nginx29").ends_with("  <backend>: nginx29\n"));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        assert!(at("shwo ").contains("did you mean `show`?"));
        assert!(at("show backed").contains("did you mean `backend`?"));
        assert!(at("show version x").contains("nothing can follow"));
    }
}
