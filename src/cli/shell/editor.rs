//! The line that is typed: editing, history, TAB and `?`.

use std::cell::RefCell;
use std::io::Write;
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

use super::connection_monitor::Printer;
use super::{history, inline_help};
use crate::api::views::text::printable;
use crate::cli::command::completion::{NameList, candidates};
use crate::cli::command::completion_names::{self, NameCache};
use crate::cli::command::words::{quoted, split_at_cursor};
use crate::cli::error::CliError;
use crate::cli::render::context::Tone;
use crate::cli::render::output::{self, Output};
use crate::cli::shell::runtime_thread::RuntimeThread;
use crate::client::connection::DaemonClient;
use crate::host::terminal::is_gone;

/// Lines of history that are kept.
const HISTORY_SIZE: usize = 1000;

/// What the operator did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EditorInput {
    /// Typed a line.
    Line(String),
    /// Submitted a blank line, or cancelled a line.
    Nothing,
    /// Left the shell.
    End,
}

/// The editor of lines.
pub(super) struct Editor {
    lines: rustyline::Editor<LineHelper, DefaultHistory>,
    /// Cursor positions at which `?` was pressed, as bytes of the line.
    help_requests: mpsc::Receiver<usize>,
    history: Option<PathBuf>,
    output: Output,
}

impl Editor {
    /// An editor whose completion queries `client`.
    ///
    /// # Errors
    /// [`CliError::Local`] when the terminal cannot be used.
    pub(super) fn new(
        runtime: &RuntimeThread,
        client: &DaemonClient,
        output: Output,
    ) -> Result<Self, CliError> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .history_ignore_space(true)
            .max_history_size(HISTORY_SIZE)
            .map_err(failed)?
            .build();
        let mut lines = rustyline::Editor::with_config(config).map_err(failed)?;
        lines.set_helper(Some(LineHelper {
            handle: runtime.handle().clone(),
            client: client.clone(),
            cache: RefCell::default(),
        }));
        let (help_key, help_requests) = mpsc::channel();
        lines.bind_sequence(
            KeyEvent::from('?'),
            EventHandler::Conditional(Box::new(HelpKey(help_key))),
        );
        let history = history::file(|name| std::env::var_os(name));
        let mut editor = Self { lines, help_requests, history, output };
        editor.load_history();
        Ok(editor)
    }

    /// Prints lines above the one that is typed.
    pub(super) fn printer(&mut self) -> Printer {
        match self.lines.create_external_printer() {
            Ok(mut printer) => Box::new(move |line| {
                // It fails when the terminal is gone, and the operator with it.
                let _ = printer.print(line + "\n");
            }),
            Err(_) => Box::new(|line| {
                // The same.
                let _ = writeln!(std::io::stderr(), "{line}");
            }),
        }
    }

    /// Reads a line, and prints help at each `?`.
    ///
    /// # Errors
    /// [`CliError::Local`] when the terminal fails.
    pub(super) fn read(&mut self, prompt: &str) -> Result<EditorInput, CliError> {
        let mut unfinished = (String::new(), String::new());
        loop {
            let initial = (unfinished.0.as_str(), unfinished.1.as_str());
            let line = match self.lines.readline_with_initial(prompt, initial) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => return Ok(EditorInput::Nothing),
                Err(ReadlineError::Eof) => return Ok(EditorInput::End),
                // The terminal was resized: the line is drawn again.
                Err(ReadlineError::Signal(_)) => continue,
                Err(_) if is_gone(std::io::stdin()) => return Ok(EditorInput::End),
                Err(error) => return Err(failed(error)),
            };
            let Ok(cursor) = self.help_requests.try_recv() else {
                self.append_history(&line);
                return Ok(if line.trim().is_empty() {
                    EditorInput::Nothing
                } else {
                    EditorInput::Line(line)
                });
            };
            let (left, right) = line.split_at_checked(cursor).unwrap_or((&line, ""));
            let context = self.output.render_context();
            let helper = self.lines.helper();
            let names = |list: &NameList| helper.map(|h| h.names(list)).unwrap_or_default();
            output::write(&inline_help::help(left, &context, names))?;
            unfinished = (left.to_owned(), right.to_owned());
        }
    }

    /// Loads the history. The shell works without it.
    fn load_history(&mut self) {
        let Some(path) = self.history.clone() else { return };
        let read = history::prepare(&path).map_err(ReadlineError::Io);
        if let Err(error) = read.and_then(|()| self.lines.load_history(&path)) {
            self.disable_history(&path, &error);
        }
    }

    /// Appends a line at once, because shells are killed.
    fn append_history(&mut self, line: &str) {
        let added = !line.trim().is_empty() && self.lines.add_history_entry(line).unwrap_or(false);
        let Some(path) = self.history.clone().filter(|_| added) else { return };
        if let Err(error) = self.lines.append_history(&path) {
            self.disable_history(&path, &error);
        }
    }

    /// Reports once that the history is not kept.
    fn disable_history(&mut self, path: &std::path::Path, error: &ReadlineError) {
        self.history = None;
        let line = format!("no history is kept in {}: {error}", path.display());
        self.output.print_diagnostic(Tone::Unsure, &line);
    }
}

fn failed(error: ReadlineError) -> CliError {
    let source = match error {
        ReadlineError::Io(source) => source,
        other => std::io::Error::other(other),
    };
    CliError::Local { attempted: "use the terminal", source }
}

/// `?` submits the line, so that the help can be printed before the line is
/// edited again. Within quotes and comments it is an ordinary character.
struct HelpKey(mpsc::Sender<usize>);

impl ConditionalEventHandler for HelpKey {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, now: &EventContext) -> Option<Cmd> {
        let typed = split_at_cursor(now.line().get(..now.pos())?);
        if typed.open_quote.is_some() || typed.comment {
            return None;
        }
        self.0.send(now.pos()).ok()?;
        Some(Cmd::AcceptLine)
    }
}

/// Completes words and the daemon's names.
struct LineHelper {
    handle: Handle,
    client: DaemonClient,
    cache: RefCell<NameCache>,
}

impl LineHelper {
    fn names(&self, list: &NameList) -> Vec<String> {
        let now = Instant::now();
        if let Some(names) = self.cache.borrow().get(list, now) {
            return names;
        }
        let found = self.handle.block_on(completion_names::fetch(&self.client, list));
        let Some(found) = found else { return Vec::new() };
        self.cache.borrow_mut().insert(list.clone(), found.clone(), now);
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
        let typed = split_at_cursor(line.get(..pos).unwrap_or(line));
        let names = |list: &NameList| self.names(list);
        let found = candidates(&typed.before, &typed.partial, names).unwrap_or_default();
        let pair = |text: String| {
            // rustyline inserts it only where there is one candidate.
            let replacement = quoted(&text) + " ";
            Pair { display: printable(&text), replacement }
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
