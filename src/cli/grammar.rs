//! The grammar of all commands as one tree of words and slots.
//!
//! Parsing, prefixes, error messages, `help` and completion all read this
//! tree; none of them knows a command by name. A command is added here, in
//! [`Command`] and where it is carried out, and nowhere else.

use super::command::{BackendChange, Command, LogLevel, Request, Watch};

/// What stands at one place of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A word, which may be shortened to any unambiguous prefix.
    Word(&'static str),
    /// A word that is accepted and never offered beside others.
    Alias(&'static str),
    /// A value of the operator's.
    Slot(Slot),
}

/// What kind of value a slot takes; completion looks live names up by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A frontend's name.
    Frontend,
    /// A pool's name.
    Pool,
    /// A backend's name.
    Backend,
    /// A health check's name.
    HealthCheck,
    /// 0..=100
    Weight,
    /// At least 1.
    Count,
}

/// A value that a slot took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A name.
    Name(String),
    /// A weight, 0..=100.
    Weight(u8),
    /// A number, at least 1.
    Count(u64),
}

impl Slot {
    /// How the slot is written in usage lines and messages.
    #[must_use]
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Frontend => "<frontend>",
            Self::Pool => "<pool>",
            Self::Backend => "<backend>",
            Self::HealthCheck => "<healthcheck>",
            Self::Weight => "<0-100>",
            Self::Count => "<n>",
        }
    }

    /// What the slot wants, for the message that refuses a word.
    #[must_use]
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Frontend => "the name of a frontend",
            Self::Pool => "the name of a pool",
            Self::Backend => "the name of a backend",
            Self::HealthCheck => "the name of a health check",
            Self::Weight => "a weight from 0 to 100",
            Self::Count => "a number from 1 on",
        }
    }

    /// The value of `word`, or `None` where the slot does not take it. Whether
    /// a name exists is the daemon's to say.
    #[must_use]
    pub fn read(self, word: &str) -> Option<Value> {
        match self {
            Self::Frontend | Self::Pool | Self::Backend | Self::HealthCheck => {
                let name = !word.is_empty() && !word.chars().any(char::is_control);
                name.then(|| Value::Name(word.to_owned()))
            }
            Self::Weight => word.parse().ok().filter(|w| *w <= 100).map(Value::Weight),
            Self::Count => word.parse().ok().filter(|n| *n > 0).map(Value::Count),
        }
    }
}

/// One place of the grammar: a token and what may follow it.
#[derive(Debug)]
pub struct Node {
    /// The word or slot.
    pub token: Token,
    /// What it is for, in a few words.
    pub help: &'static str,
    /// One of these must follow.
    pub next: &'static [Node],
    /// Each of these may follow, once, in any order.
    pub options: &'static [Node],
    /// Makes the command of a path through this node; of several the last
    /// counts. `None` from it would mean that the path lacks a value the
    /// command needs, which a test of every path rules out.
    pub command: Option<fn(&Path) -> Option<Command>>,
}

/// The words and values of a command line, in full and in order.
#[derive(Clone, Debug, Default)]
pub struct Path {
    words: Vec<&'static str>,
    values: Vec<(Slot, Value)>,
}

impl Path {
    /// Notes a word.
    pub fn add_word(&mut self, word: &'static str) {
        self.words.push(word);
    }

    /// Notes what a slot took.
    pub fn add_value(&mut self, slot: Slot, value: Value) {
        self.values.push((slot, value));
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    fn value(&self, slot: Slot) -> Option<&Value> {
        self.values.iter().find_map(|(s, value)| (*s == slot).then_some(value))
    }

    fn name(&self, slot: Slot) -> Option<String> {
        match self.value(slot)? {
            Value::Name(name) => Some(name.clone()),
            Value::Weight(_) | Value::Count(_) => None,
        }
    }

    fn weight(&self) -> Option<u8> {
        match self.value(Slot::Weight)? {
            Value::Weight(weight) => Some(*weight),
            Value::Name(_) | Value::Count(_) => None,
        }
    }

    fn count(&self) -> Option<u64> {
        match self.value(Slot::Count)? {
            Value::Count(count) => Some(*count),
            Value::Name(_) | Value::Weight(_) => None,
        }
    }
}

const fn node(token: Token, help: &'static str) -> Node {
    Node { token, help, next: &[], options: &[], command: None }
}

const fn word(text: &'static str, help: &'static str) -> Node {
    node(Token::Word(text), help)
}

const fn alias(text: &'static str, help: &'static str) -> Node {
    node(Token::Alias(text), help)
}

const fn slot(slot: Slot, help: &'static str) -> Node {
    node(Token::Slot(slot), help)
}

impl Node {
    const fn then(self, next: &'static [Node]) -> Self {
        Self { next, ..self }
    }

    const fn with(self, options: &'static [Node]) -> Self {
        Self { options, ..self }
    }

    const fn does(self, command: fn(&Path) -> Option<Command>) -> Self {
        Self { command: Some(command), ..self }
    }
}

/// Where every command starts.
pub static ROOT: &[Node] = &[
    word("show", "look at the state").then(SHOW),
    word("set", "change a backend or a weight until told otherwise").then(SET),
    word("sync", "write the desired state to VPP").then(SYNC),
    word("config", "the daemon's configuration file").then(CONFIG),
    word("watch", "follow what happens").then(WATCH),
    word("help", "list every command").does(|_| Some(Command::Help)),
    word("quit", "leave the shell").does(|_| Some(Command::Quit)),
    word("exit", "leave the shell").does(|_| Some(Command::Quit)),
];

const SHOW: &[Node] = &[
    word("version", "version of this program").does(|_| Some(Command::ShowVersion)),
    word("frontends", "all frontends, what is wrong first").does(|_| ask(Request::ShowFrontends)),
    word("frontend", "one frontend").then(&[slot(Slot::Frontend, "pools, backends and weights")
        .with(&[word("if", "what another weight would move").then(IF)])
        .does(|path| ask(Request::ShowFrontend { name: path.name(Slot::Frontend)? }))]),
    word("backends", "all backends, what is wrong first").does(|_| ask(Request::ShowBackends)),
    word("backend", "one backend").then(&[slot(Slot::Backend, "state and transitions")
        .does(|path| ask(Request::ShowBackend { name: path.name(Slot::Backend)? }))]),
    word("healthchecks", "all health checks").does(|_| ask(Request::ShowHealthChecks)),
    word("healthcheck", "one health check").then(&[slot(Slot::HealthCheck, "its settings")
        .does(|path| ask(Request::ShowHealthCheck { name: path.name(Slot::HealthCheck)? }))]),
    word("vpp", "what VPP holds").then(&[
        word("info", "version and age of VPP").does(|_| ask(Request::ShowVppInfo)),
        word("lb", "the load balancer").then(&[
            word("state", "settings, VIPs and servers").does(|_| ask(Request::ShowVppLbState)),
            word("counters", "packets of each VIP").does(|_| ask(Request::ShowVppLbCounters)),
        ]),
        alias("lbstate", "settings, VIPs and servers").does(|_| ask(Request::ShowVppLbState)),
    ]),
];

const IF: &[Node] = &[word("backend", "of which backend").then(&[slot(
    Slot::Backend,
    "the backend to suppose it of",
)
.then(&[word("weight", "the weight to suppose").then(&[slot(
    Slot::Weight,
    "says what would move, and changes nothing",
)
.does(predict)])])])];

const SET: &[Node] = &[
    word("backend", "pause, resume, enable or disable one").then(&[slot(
        Slot::Backend,
        "the backend to change",
    )
    .then(&[
        word("pause", "stop probes and new flows, keep established flows")
            .does(|path| set_backend(path, BackendChange::Pause)),
        word("resume", "undo pause").does(|path| set_backend(path, BackendChange::Resume)),
        word("enable", "undo disable").does(|path| set_backend(path, BackendChange::Enable)),
        word("disable", "stop probes and new flows, forget established flows")
            .does(|path| set_backend(path, BackendChange::Disable)),
    ])]),
    word("frontend", "a weight in one of its pools").then(&[slot(
        Slot::Frontend,
        "the frontend that has the pool",
    )
    .then(&[word("pool", "which pool").then(&[slot(
        Slot::Pool,
        "the pool that has the backend",
    )
    .then(&[word("backend", "which backend").then(&[slot(
        Slot::Backend,
        "the backend to weigh",
    )
    .then(&[word("weight", "its new weight").then(&[slot(
        Slot::Weight,
        "override the configured weight",
    )
    .does(set_weight)])])])])])])]),
];

const SYNC: &[Node] = &[word("vpp", "VPP").then(&[
    word("lb", "the load balancer").then(&[word(
        "state",
        "correct what differs from the desired state",
    )
    .with(SYNC_OPTIONS)
    .does(sync)]),
    alias("lbstate", "correct what differs from the desired state").with(SYNC_OPTIONS).does(sync),
])];

const SYNC_OPTIONS: &[Node] =
    &[slot(Slot::Frontend, "only this frontend"), word("dry-run", "list the steps and take none")];

const CONFIG: &[Node] = &[
    word("check", "list the faults of the file").does(|_| ask(Request::ConfigCheck)),
    word("reload", "use the file, if it has no fault").does(|_| ask(Request::ConfigReload)),
];

const WATCH: &[Node] = &[word("events", "events as they happen, a JSON object a line")
    .with(&[
        word("num", "stop after so many").then(&[slot(Slot::Count, "how many")]),
        word("log", "only these: the daemon's log").with(&[word("level", "how severe at least")
            .then(&[
                word("debug", "every probe and message"),
                word("info", "what happens"),
                word("warn", "what needs a look"),
                word("error", "what failed"),
            ])]),
        word("backend", "only these: transitions of backends"),
        word("frontend", "only these: transitions of frontends"),
        word("dataplane", "only these: what was written to VPP"),
    ])
    .does(watch)];

fn ask(request: Request) -> Option<Command> {
    Some(Command::Request(request))
}

fn set_backend(path: &Path, change: BackendChange) -> Option<Command> {
    ask(Request::SetBackend { name: path.name(Slot::Backend)?, change })
}

fn predict(path: &Path) -> Option<Command> {
    ask(Request::Predict {
        frontend: path.name(Slot::Frontend)?,
        backend: path.name(Slot::Backend)?,
        weight: path.weight()?,
    })
}

fn set_weight(path: &Path) -> Option<Command> {
    ask(Request::SetWeight {
        frontend: path.name(Slot::Frontend)?,
        pool: path.name(Slot::Pool)?,
        backend: path.name(Slot::Backend)?,
        weight: path.weight()?,
    })
}

#[allow(clippy::unnecessary_wraps)] // one type for all makers of commands
fn sync(path: &Path) -> Option<Command> {
    ask(Request::Sync { frontend: path.name(Slot::Frontend), dry_run: path.has("dry-run") })
}

#[allow(clippy::unnecessary_wraps)] // one type for all makers of commands
fn watch(path: &Path) -> Option<Command> {
    let levels = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
    Some(Command::WatchEvents(Watch {
        count: path.count(),
        log: path.has("log"),
        level: levels.into_iter().find(|level| path.has(level.as_str())),
        backend: path.has("backend"),
        frontend: path.has("frontend"),
        dataplane: path.has("dataplane"),
    }))
}
