//! The line that is typed: editing, history, TAB and `?`.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Instant;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Event, EventContext,
    EventHandler, ExternalPrinter, Helper, KeyEvent, RepeatCount,
};
use tokio::runtime::Handle;

use super::link::Printer;
use super::{history, inline};
use crate::cli::command::completion::{Names, candidates};
use crate::cli::command::completion_names::{self, Cache};
use crate::cli::command::words::{quoted, typed};
use crate::cli::error::CliError;
use crate::cli::render::context::Tone;
use crate::cli::render::output::{self, Output};
use crate::cli::shell::runtime_thread::Engine;
use crate::client::server::DaemonClient;

/// Lines of history that are kept.
const REMEMBERED: usize = 1000;

/// What the operator did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EditorInput {
    /// Typed a line.
    Line(String),
    /// Gave a line up.
    Nothing,
    /// Left.
    End,
}

/// The editor of lines.
pub(super) struct Editor {
    lines: rustyline::Editor<LineHelper, DefaultHistory>,
    asked: mpsc::Receiver<usize>,
    history: Option<PathBuf>,
    output: Output,
}

impl Editor {
    /// An editor whose completion asks `client`.
    ///
    /// # Errors
    /// [`CliError::Local`] when the terminal cannot be used.
    pub(super) fn new(
        engine: &Engine,
        client: &DaemonClient,
        output: Output,
    ) -> Result<Self, CliError> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .history_ignore_space(true)
            .max_history_size(REMEMBERED)
            .map_err(failed)?
            .build();
        let mut lines = rustyline::Editor::with_config(config).map_err(failed)?;
        lines.set_helper(Some(LineHelper {
            handle: engine.handle().clone(),
            client: client.clone(),
            cache: RefCell::default(),
        }));
        let (ask, asked) = mpsc::channel();
        lines.bind_sequence(KeyEvent::from('?'), EventHandler::Conditional(Box::new(HelpKey(ask))));
        let history = history::file(|name| std::env::var_os(name));
        let mut editor = Self { lines, asked, history, output };
        editor.recall();
        Ok(editor)
    }

    /// What tells a line above the one that is typed.
    pub(super) fn printer(&mut self) -> Printer {
        match self.lines.create_external_printer() {
            Ok(mut printer) => Box::new(move |line| {
                // The terminal is gone: so is the operator.
                let _ = printer.print(line + "\n");
            }),
            Err(_) => Box::new(|line| eprintln!("{line}")),
        }
    }

    /// Reads a line. `?` is answered on the way.
    ///
    /// # Errors
    /// [`CliError::Local`] when the terminal fails.
    pub(super) fn read(&mut self, prompt: &str) -> Result<EditorInput, CliError> {
        let mut begun = (String::new(), String::new());
        loop {
            let initial = (begun.0.as_str(), begun.1.as_str());
            let line = match self.lines.readline_with_initial(prompt, initial) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => return Ok(EditorInput::Nothing),
                Err(ReadlineError::Eof) => return Ok(EditorInput::End),
                // The terminal changed its size: the line is drawn anew.
                Err(ReadlineError::Signal(_)) => continue,
                Err(error) => return Err(failed(error)),
            };
            let Ok(cursor) = self.asked.try_recv() else {
                self.remember(&line);
                return Ok(if line.trim().is_empty() {
                    EditorInput::Nothing
                } else {
                    EditorInput::Line(line)
                });
            };
            let (left, right) = line.split_at_checked(cursor).unwrap_or((&line, ""));
            let page = self.output.page();
            let living = self.lines.helper();
            let names = |wanted: &Names| living.map(|l| l.names(wanted)).unwrap_or_default();
            output::write(&inline::help(left, &page, names))?;
            begun = (left.to_owned(), right.to_owned());
        }
    }

    /// Reads the history; without it the shell works as well.
    fn recall(&mut self) {
        let Some(path) = self.history.clone() else { return };
        let read = history::prepare(&path).map_err(ReadlineError::Io);
        if let Err(error) = read.and_then(|()| self.lines.load_history(&path)) {
            self.forget(&path, &error);
        }
    }

    /// Keeps a line at once: shells are killed.
    fn remember(&mut self, line: &str) {
        let added = !line.trim().is_empty() && self.lines.add_history_entry(line).unwrap_or(false);
        let Some(path) = self.history.clone().filter(|_| added) else { return };
        if let Err(error) = self.lines.append_history(&path) {
            self.forget(&path, &error);
        }
    }

    /// Says once that the history is not kept.
    fn forget(&mut self, path: &std::path::Path, error: &ReadlineError) {
        self.history = None;
        let line = format!("no history is kept in {}: {error}", path.display());
        self.output.complain(Tone::Unsure, &line);
    }
}

fn failed(error: ReadlineError) -> CliError {
    let source = match error {
        ReadlineError::Io(source) => source,
        other => std::io::Error::other(other),
    };
    CliError::Local { attempted: "use the terminal", source }
}

/// `?`: ends the reading for a moment, so that the help has a place. Within
/// quotes and comments it is a character like any other.
struct HelpKey(mpsc::Sender<usize>);

impl ConditionalEventHandler for HelpKey {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, now: &EventContext) -> Option<Cmd> {
        let typed = typed(now.line().get(..now.pos())?);
        if typed.open.is_some() || typed.comment {
            return None;
        }
        self.0.send(now.pos()).ok()?;
        Some(Cmd::AcceptLine)
    }
}

/// Completion with the daemon's names.
struct LineHelper {
    handle: Handle,
    client: DaemonClient,
    cache: RefCell<Cache>,
}

impl LineHelper {
    fn names(&self, wanted: &Names) -> Vec<String> {
        let now = Instant::now();
        if let Some(names) = self.cache.borrow().get(wanted, now) {
            return names;
        }
        let found = self.handle.block_on(completion_names::fetch(&self.client, wanted));
        let Some(found) = found else { return Vec::new() };
        self.cache.borrow_mut().keep(wanted.clone(), found.clone(), now);
        found
    }
}

impl Completer for LineHelper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = typed(line.get(..pos).unwrap_or(line));
        let names = |wanted: &Names| self.names(wanted);
        let found = candidates(&typed.before, &typed.partial, names).unwrap_or_default();
        let pair = |text: String| {
            // The blank is added once the word is the only one.
            let replacement = quoted(&text) + " ";
            Pair { display: text, replacement }
        };
        let found = found.into_iter().map(|candidate| pair(candidate.text));
        Ok((typed.start, if typed.comment { Vec::new() } else { found.collect() }))
    }
}

impl Helper for LineHelper {}
impl Hinter for LineHelper {
    type Hint = String;
}
impl Highlighter for LineHelper {}
impl Validator for LineHelper {}
