//! The tree itself: every command, written as it is typed.

use super::{Node, Path, ValueSlot, alias, slot, word, yielding};
use crate::cli::command::request::{
    BackendChange, CliCommand, DaemonRequest, LogLevelWord, Shell, Watch,
};

/// Where every command starts.
pub static ROOT: &[Node] = &[
    word("show", "look at the state").then(SHOW),
    word("set", "change a backend or a weight until told otherwise").then(SET),
    word("sync", "write the desired state to VPP").then(SYNC),
    word("config", "the daemon's configuration file").then(CONFIG),
    word("watch", "follow what happens").then(WATCH),
    yielding("completions", "what makes TAB complete in a system shell").then(COMPLETIONS),
    word("help", "list every command").does(|_| Some(CliCommand::Help)),
    word("quit", "leave the shell").does(|_| Some(CliCommand::Quit)),
    word("exit", "leave the shell").does(|_| Some(CliCommand::Quit)),
];

const SHOW: &[Node] = &[
    word("version", "version of this program").does(|_| Some(CliCommand::ShowVersion)),
    word("frontends", "all frontends, what is wrong first")
        .does(|_| ask(DaemonRequest::ShowFrontends)),
    word("frontend", "one frontend").then(&[slot(
        ValueSlot::Frontend,
        "pools, backends and weights",
    )
    .with(&[word("if", "what another weight would move").then(IF)])
    .does(|path| ask(DaemonRequest::ShowFrontend { name: path.name(ValueSlot::Frontend)? }))]),
    word("backends", "all backends, what is wrong first")
        .does(|_| ask(DaemonRequest::ShowBackends)),
    word("backend", "one backend").then(&[slot(ValueSlot::Backend, "state and transitions")
        .does(|path| ask(DaemonRequest::ShowBackend { name: path.name(ValueSlot::Backend)? }))]),
    word("healthchecks", "all health checks").does(|_| ask(DaemonRequest::ShowHealthChecks)),
    word("healthcheck", "one health check")
        .then(&[slot(ValueSlot::HealthCheck, "its settings").does(|path| {
            ask(DaemonRequest::ShowHealthCheck { name: path.name(ValueSlot::HealthCheck)? })
        })]),
    word("vpp", "what VPP holds").then(&[
        word("info", "version and age of VPP").does(|_| ask(DaemonRequest::ShowVppInfo)),
        word("lb", "the load balancer").then(&[
            word("state", "settings, VIPs and servers")
                .does(|_| ask(DaemonRequest::ShowVppLbState)),
            word("counters", "packets of each VIP").does(|_| ask(DaemonRequest::ShowVppLbCounters)),
        ]),
        alias("lbstate", "settings, VIPs and servers").does(|_| ask(DaemonRequest::ShowVppLbState)),
    ]),
];

const IF: &[Node] = &[word("backend", "of which backend").then(&[slot(
    ValueSlot::Backend,
    "the backend to suppose it of",
)
.then(&[word("weight", "the weight to suppose").then(&[slot(
    ValueSlot::Weight,
    "says what would move, and changes nothing",
)
.does(predict)])])])];

const SET: &[Node] = &[
    word("backend", "pause, resume, enable or disable one").then(&[slot(
        ValueSlot::Backend,
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
        ValueSlot::Frontend,
        "the frontend that has the pool",
    )
    .then(&[word("pool", "which pool").then(&[slot(
        ValueSlot::Pool,
        "the pool that has the backend",
    )
    .then(&[word("backend", "which backend").then(&[slot(
        ValueSlot::Backend,
        "the backend to weigh",
    )
    .then(&[word("weight", "its new weight").then(&[slot(
        ValueSlot::Weight,
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

const SYNC_OPTIONS: &[Node] = &[
    slot(ValueSlot::Frontend, "only this frontend"),
    word("dry-run", "list the steps and take none"),
];

const CONFIG: &[Node] = &[
    word("check", "list the faults of the file").does(|_| ask(DaemonRequest::ConfigCheck)),
    word("reload", "use the file, if it has no fault").does(|_| ask(DaemonRequest::ConfigReload)),
];

const WATCH: &[Node] = &[
    word("state", "frontends and their servers live, on the whole terminal")
        .does(|_| Some(CliCommand::WatchState)),
    word("events", "events as they happen, a JSON object a line").with(EVENTS).does(watch),
];

const EVENTS: &[Node] = &[
    word("num", "stop after so many").then(&[slot(ValueSlot::Count, "how many")]),
    word("log", "only these: the daemon's log").with(&[word("level", "how severe at least").then(
        &[
            word("debug", "every probe and message"),
            word("info", "what happens"),
            word("warn", "what needs a look"),
            word("error", "what failed"),
        ],
    )]),
    word("backend", "only these: transitions of backends"),
    word("frontend", "only these: transitions of frontends"),
    word("dataplane", "only these: what was written to VPP"),
];

const COMPLETIONS: &[Node] = &[
    word("bash", "source it, or put it where bash-completion looks")
        .does(|_| Some(CliCommand::Completions(Shell::Bash))),
    word("zsh", "put it as _maglevc into a folder of $fpath")
        .does(|_| Some(CliCommand::Completions(Shell::Zsh))),
    word("fish", "put it into ~/.config/fish/completions")
        .does(|_| Some(CliCommand::Completions(Shell::Fish))),
];

fn ask(request: DaemonRequest) -> Option<CliCommand> {
    Some(CliCommand::Request(request))
}

fn set_backend(path: &Path, change: BackendChange) -> Option<CliCommand> {
    ask(DaemonRequest::SetBackend { name: path.name(ValueSlot::Backend)?, change })
}

fn predict(path: &Path) -> Option<CliCommand> {
    ask(DaemonRequest::Predict {
        frontend: path.name(ValueSlot::Frontend)?,
        backend: path.name(ValueSlot::Backend)?,
        weight: path.weight()?,
    })
}

fn set_weight(path: &Path) -> Option<CliCommand> {
    ask(DaemonRequest::SetWeight {
        frontend: path.name(ValueSlot::Frontend)?,
        pool: path.name(ValueSlot::Pool)?,
        backend: path.name(ValueSlot::Backend)?,
        weight: path.weight()?,
    })
}

#[allow(clippy::unnecessary_wraps)] // one type for all makers of commands
fn sync(path: &Path) -> Option<CliCommand> {
    ask(DaemonRequest::Sync {
        frontend: path.name(ValueSlot::Frontend),
        dry_run: path.has("dry-run"),
    })
}

#[allow(clippy::unnecessary_wraps)] // one type for all makers of commands
fn watch(path: &Path) -> Option<CliCommand> {
    let levels = [LogLevelWord::Debug, LogLevelWord::Info, LogLevelWord::Warn, LogLevelWord::Error];
    Some(CliCommand::WatchEvents(Watch {
        count: path.count(),
        log: path.has("log"),
        level: levels.into_iter().find(|level| path.has(level.as_str())),
        backend: path.has("backend"),
        frontend: path.has("frontend"),
        dataplane: path.has("dataplane"),
    }))
}
