//! Aligned tables: widths count characters and never colour, no line ends in
//! blanks, and only columns that allow it are cut to fit a terminal.

use crate::api::views::text::printable;
use crate::cli::render::context::{RenderContext, Tone};

/// The width below which no column is cut.
const MIN_WIDTH: usize = 8;

/// Blanks between columns.
const GAP: usize = 2;

#[derive(Clone, Copy, Debug)]
pub struct Column {
    title: &'static str,
    right: bool,
    cut: bool,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub const fn left(title: &'static str) -> Self {
        Self { title, right: false, cut: false }
    }

    /// A column of numbers.
    #[must_use]
    pub const fn right(title: &'static str) -> Self {
        Self { title, right: true, cut: false }
    }

    /// A column of free text, which may be cut on a narrow terminal.
    #[must_use]
    pub const fn text(title: &'static str) -> Self {
        Self { title, right: false, cut: true }
    }
}

/// The content of one row and column.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell in a tone.
    #[must_use]
    pub fn new(text: &str, tone: Tone) -> Self {
        Self { text: printable(text), tone }
    }

    /// A state in its tone, with `*` where an operator overrode the file.
    #[must_use]
    pub fn state(state: &str, overridden: bool) -> Self {
        let mark = if overridden { "*" } else { "" };
        Self::new(&format!("{state}{mark}"), Tone::of_state(state))
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(text.as_ref(), Tone::Plain)
    }
}

/// Rows under titles.
#[derive(Debug)]
pub struct TextTable {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    indent: usize,
}

impl TextTable {
    /// An empty table.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new(), indent: 0 }
    }

    /// Moves the whole table `indent` columns to the right.
    #[must_use]
    pub fn indented(self, indent: usize) -> Self {
        Self { indent, ..self }
    }

    /// Adds a row; cells beyond the columns are dropped, missing ones blank.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(cells.into());
    }

    /// The same, where the data decide how many columns there are.
    pub fn row_of(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table's lines, each with its newline; titles first.
    #[must_use]
    pub fn render(&self, context: &RenderContext) -> String {
        let widths = self.widths(context.width);
        let titles: Vec<Cell> =
            self.columns.iter().map(|column| Cell::new(column.title, Tone::Title)).collect();
        let lines = std::iter::once(&titles).chain(&self.rows);
        lines.map(|cells| self.line(cells, &widths, context)).collect()
    }

    fn widths(&self, limit: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.columns.iter().map(|c| length(c.title)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(length(&cell.text));
            }
        }
        let gaps = GAP * self.columns.len().saturating_sub(1);
        let total = self.indent + gaps + widths.iter().sum::<usize>();
        let mut over = limit.map_or(0, |limit| total.saturating_sub(limit));
        for (width, column) in widths.iter_mut().zip(&self.columns).rev().filter(|(_, c)| c.cut) {
            let least = length(column.title).max(MIN_WIDTH);
            let given = over.min(width.saturating_sub(least));
            *width -= given;
            over -= given;
        }
        widths
    }

    fn line(&self, cells: &[Cell], widths: &[usize], context: &RenderContext) -> String {
        let mut line = String::new();
        // Blanks are written only before text, so that no line ends in them.
        let mut blanks = self.indent;
        for ((cell, column), width) in cells.iter().zip(&self.columns).zip(widths) {
            let text = fit(&cell.text, *width);
            let rest = width.saturating_sub(length(&text));
            let (before, behind) = if column.right { (rest, 0) } else { (0, rest) };
            if text.is_empty() {
                blanks += width;
            } else {
                line.push_str(&" ".repeat(blanks + before));
                line.push_str(&context.paint(cell.tone, &text));
                blanks = behind;
            }
            blanks += GAP;
        }
        line.push('\n');
        line
    }
}

/// `name: value` lines, values aligned, empty values left out.
#[must_use]
pub fn facts(facts: &[(&str, Cell)], context: &RenderContext) -> String {
    let shown = || facts.iter().filter(|(_, cell)| !cell.text.is_empty());
    let width = shown().map(|(name, _)| length(name)).max().unwrap_or(0);
    shown()
        .map(|(name, cell)| {
            let rest = " ".repeat(width - length(name) + GAP);
            let name = context.paint(Tone::Title, name);
            format!("{name}{rest}{}\n", context.paint(cell.tone, &cell.text))
        })
        .collect()
}

/// The width of a text without colours, in columns.
fn length(text: &str) -> usize {
    text.chars().count()
}

fn fit(text: &str, width: usize) -> String {
    if length(text) <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> TextTable {
        let mut table =
            TextTable::new(&[Column::left("NAME"), Column::right("WEIGHT"), Column::text("WHY")]);
        table.row(["größer".into(), "7".into(), Cell::new("a long reason indeed", Tone::Bad)]);
        table.row(["b".into(), "100".into(), "".into()]);
        table
    }

    fn context(width: Option<usize>, colour: bool) -> RenderContext {
        RenderContext { now_ns: 0, width, colour }
    }

    #[test]
    fn widths_count_characters() {
        let expected = "NAME    WEIGHT  WHY\n\
                        größer       7  a long reason indeed\n\
                        b          100\n";
        assert_eq!(sample().render(&context(None, false)), expected);
    }

    #[test]
    fn colour_changes_no_alignment() {
        let coloured = sample().render(&context(None, true));
        assert!(coloured.contains("\x1b[31ma long reason indeed\x1b[0m"));
        let mut bare = coloured;
        for code in ["\x1b[31m", "\x1b[1m", "\x1b[0m"] {
            bare = bare.replace(code, "");
        }
        assert_eq!(bare, sample().render(&context(None, false)));
    }

    #[test]
    fn only_free_text_is_cut_and_never_to_nothing() {
        let text = sample().render(&context(Some(26), false));
        assert!(text.contains("größer       7  a long re…\n"), "{text}");
        let text = sample().render(&context(Some(1), false));
        assert!(text.contains("größer       7  a long …\n"), "{text}");
    }

    #[test]
    fn facts_leave_out_what_is_empty() {
        let text = facts(
            &[("a", "1".into()), ("none", "".into()), ("ccc", "2".into())],
            &context(None, false),
        );
        assert_eq!(text, "a    1\nccc  2\n");
    }
}
