//! The grammar's tree: every command, written as it is typed.

use super::announcing::{
    ANNOUNCE, SET_ANNOUNCEMENT, SHOW_ANNOUNCEMENTS, UNSET_ANNOUNCEMENT, WITHDRAW,
};
use super::node::{Node, Path, ValueSlot, alias, slot, whole, word, yielding};
use super::terms::{BECAUSE, REASON, TERMS, terms};
use super::watch::WATCH;
use crate::cli::command::request::{
    BackendChange, CliCommand, DaemonRequest, DrainOptions, Shell, TimelineQuery,
};

/// The first words of all commands.
pub static ROOT: &[Node] = &[
    word("show", "look at the state").then(SHOW),
    yielding("explain", "why flows go where they go").then(EXPLAIN),
    // `comp` has been `completions`.
    whole("compare", "how several daemons differ").makes(|_| Some(CliCommand::Compare)),
    word("set", "change a backend or a weight until told otherwise").then(SET),
    word("unset", "end what was set").then(UNSET),
    word("drain", "take new flows away from a backend, follow those that remain").then(DRAIN),
    word("undrain", "undo drain").then(UNDRAIN),
    yielding("withdraw", "have routers send this site nothing").then(WITHDRAW),
    yielding("announce", "undo withdraw").then(ANNOUNCE),
    word("sync", "write the desired state to VPP").then(SYNC),
    word("config", "the daemon's configuration file").then(CONFIG),
    word("watch", "follow what happens").then(WATCH),
    yielding("completions", "what makes TAB complete in a system shell").then(COMPLETIONS),
    word("help", "list every command").makes(|_| Some(CliCommand::Help)),
    word("quit", "leave the shell").makes(|_| Some(CliCommand::Quit)),
    word("exit", "leave the shell").makes(|_| Some(CliCommand::Quit)),
];

const SHOW: &[Node] = &[
    word("version", "version of this program").makes(|_| Some(CliCommand::ShowVersion)),
    word("frontends", "all frontends, what is wrong first")
        .makes(|_| request(DaemonRequest::ShowFrontends)),
    word("frontend", "one frontend").then(&[slot(
        ValueSlot::Frontend,
        "pools, backends and weights",
    )
    .with(&[word("if", "what another weight would move").then(IF)])
    .makes(|path| request(DaemonRequest::ShowFrontend { name: path.name(ValueSlot::Frontend)? }))]),
    word("backends", "all backends, what is wrong first")
        .makes(|_| request(DaemonRequest::ShowBackends)),
    word("backend", "one backend")
        .then(&[slot(ValueSlot::Backend, "state and transitions").makes(|path| {
            request(DaemonRequest::ShowBackend { name: path.name(ValueSlot::Backend)? })
        })]),
    word("healthchecks", "all health checks").makes(|_| request(DaemonRequest::ShowHealthChecks)),
    word("healthcheck", "one health check")
        .then(&[slot(ValueSlot::HealthCheck, "its settings").makes(|path| {
            request(DaemonRequest::ShowHealthCheck { name: path.name(ValueSlot::HealthCheck)? })
        })]),
    word("identity", "whom the daemon takes you for, and what you may do")
        .makes(|_| request(DaemonRequest::ShowIdentity)),
    word("overrides", "what operators have set, who, why and until when")
        .makes(|_| request(DaemonRequest::ShowOverrides)),
    SHOW_ANNOUNCEMENTS,
    word("timeline", "what happened lately")
        .with(&[
            word("backend", "only this backend")
                .then(&[slot(ValueSlot::Backend, "what concerns it")]),
            word("frontend", "only this frontend")
                .then(&[slot(ValueSlot::Frontend, "what concerns it and its backends")]),
            word("since", "how far back").then(&[slot(ValueSlot::Duration, "such as 1h30m")]),
        ])
        .makes(timeline),
    word("vpp", "what VPP holds").then(&[
        word("info", "version and age of VPP").makes(|_| request(DaemonRequest::ShowVppInfo)),
        word("doctor", "what keeps packets from the servers, and what to do")
            .makes(|_| request(DaemonRequest::ShowVppDoctor)),
        word("lb", "the load balancer").then(&[
            word("state", "settings, VIPs and servers")
                .makes(|_| request(DaemonRequest::ShowVppLbState)),
            word("counters", "packets of each VIP")
                .makes(|_| request(DaemonRequest::ShowVppLbCounters)),
        ]),
        alias("lbstate", "settings, VIPs and servers")
            .makes(|_| request(DaemonRequest::ShowVppLbState)),
    ]),
];

const EXPLAIN: &[Node] = &[
    word("backend", "why it gets the flows that it gets").then(&[slot(
        ValueSlot::Backend,
        "from its probes to VPP",
    )
    .makes(|path| {
        request(DaemonRequest::ExplainBackend { name: path.name(ValueSlot::Backend)? })
    })]),
    word("frontend", "why its flows go where they go").then(&[slot(
        ValueSlot::Frontend,
        "from its backends to VPP",
    )
    .makes(|path| {
        request(DaemonRequest::ExplainFrontend { name: path.name(ValueSlot::Frontend)? })
    })]),
];

const IF: &[Node] = &[word("backend", "of which backend").then(&[slot(
    ValueSlot::Backend,
    "the backend to suppose it of",
)
.then(&[word("weight", "the weight to suppose").then(&[slot(
    ValueSlot::Weight,
    "says what would move, and changes nothing",
)
.makes(predict)])])])];

const SET: &[Node] = &[
    word("backend", "pause, resume, enable or disable one").then(&[slot(
        ValueSlot::Backend,
        "the backend to change",
    )
    .then(&[
        word("pause", "stop probes and new flows, keep established flows")
            .with(TERMS)
            .makes(|path| set_backend(path, BackendChange::Pause)),
        word("resume", "undo pause")
            .with(&[
                word("slowly", "take its share in steps, where slow-start is configured"),
                BECAUSE,
            ])
            .makes(resume),
        word("enable", "undo disable")
            .with(TERMS)
            .makes(|path| set_backend(path, BackendChange::Enable)),
        word("disable", "stop probes and new flows, forget established flows")
            .with(TERMS)
            .makes(|path| set_backend(path, BackendChange::Disable)),
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
    .with(TERMS)
    .makes(set_weight)])])])])])])]),
    SET_ANNOUNCEMENT,
];

const UNSET: &[Node] = &[
    word("backend", "its pause, disable or enable").then(&[slot(
        ValueSlot::Backend,
        "do with it as the file says",
    )
    .with(REASON)
    .makes(|path| set_backend(path, BackendChange::Unset))]),
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
        "weigh it as the file says",
    )
    .with(REASON)
    .makes(unset_weight)])])])])]),
    UNSET_ANNOUNCEMENT,
];
const DRAIN: &[Node] = &[word("backend", "which backend").then(&[slot(
    ValueSlot::Backend,
    "pause it, and count its flows until none is left",
)
.with(&[
    word("timeout", "when that has taken too long").then(&[slot(
        ValueSlot::Duration,
        "how long it may take",
    )
    .with(&[word("then", "what to do at the timeout")
        .then(&[word("flush", "have VPP forget the flows that are left")])])]),
    word("wait", "show the progress until it is over"),
    BECAUSE,
])
.makes(drain)])];

const UNDRAIN: &[Node] = &[word("backend", "which backend").then(&[slot(
    ValueSlot::Backend,
    "resume it, however far its drain is",
)
.with(REASON)
.makes(undrain)])];

const SYNC: &[Node] = &[word("vpp", "VPP").then(&[
    word("lb", "the load balancer").then(&[word(
        "state",
        "correct what differs from the desired state",
    )
    .with(SYNC_OPTIONS)
    .makes(sync)]),
    alias("lbstate", "correct what differs from the desired state").with(SYNC_OPTIONS).makes(sync),
])];

const SYNC_OPTIONS: &[Node] = &[
    slot(ValueSlot::Frontend, "only this frontend"),
    word("dry-run", "list the steps and take none"),
    whole("force", "also take the removals that are held"),
];

const CONFIG: &[Node] = &[
    word("check", "list the faults of the file").makes(|_| request(DaemonRequest::ConfigCheck)),
    word("reload", "use the file, if it has no fault")
        .with(&[whole("force", "even if it removes most of what serves")])
        .makes(|path| request(DaemonRequest::ConfigReload { force: path.has("force") })),
];

const COMPLETIONS: &[Node] = &[
    word("bash", "source it, or put it where bash-completion looks")
        .makes(|_| Some(CliCommand::Completions(Shell::Bash))),
    word("zsh", "put it as _maglevc into a folder of $fpath")
        .makes(|_| Some(CliCommand::Completions(Shell::Zsh))),
    word("fish", "put it into ~/.config/fish/completions")
        .makes(|_| Some(CliCommand::Completions(Shell::Fish))),
];

fn request(request: DaemonRequest) -> Option<CliCommand> {
    Some(CliCommand::Request(request))
}

fn set_backend(path: &Path, change: BackendChange) -> Option<CliCommand> {
    let (name, terms) = (path.name(ValueSlot::Backend)?, terms(path));
    request(DaemonRequest::SetBackend { name, change, terms })
}

fn resume(path: &Path) -> Option<CliCommand> {
    let slowly = path.has("slowly");
    let change = if slowly { BackendChange::ResumeSlowly } else { BackendChange::Resume };
    set_backend(path, change)
}

fn drain(path: &Path) -> Option<CliCommand> {
    let options = DrainOptions {
        name: path.name(ValueSlot::Backend)?,
        timeout: path.duration(),
        flush: path.has("flush"),
        why: path.reason(),
    };
    if path.has("wait") {
        return Some(CliCommand::DrainAndWait(options));
    }
    request(DaemonRequest::Drain(options))
}

fn undrain(path: &Path) -> Option<CliCommand> {
    let name = path.name(ValueSlot::Backend)?;
    request(DaemonRequest::Undrain { name, why: path.reason() })
}

fn predict(path: &Path) -> Option<CliCommand> {
    request(DaemonRequest::Predict {
        frontend: path.name(ValueSlot::Frontend)?,
        backend: path.name(ValueSlot::Backend)?,
        weight: path.weight()?,
    })
}

fn set_weight(path: &Path) -> Option<CliCommand> {
    weigh(path, Some(path.weight()?))
}

fn unset_weight(path: &Path) -> Option<CliCommand> {
    weigh(path, None)
}

fn weigh(path: &Path, weight: Option<u8>) -> Option<CliCommand> {
    request(DaemonRequest::SetWeight {
        frontend: path.name(ValueSlot::Frontend)?,
        pool: path.name(ValueSlot::Pool)?,
        backend: path.name(ValueSlot::Backend)?,
        weight,
        terms: terms(path),
    })
}

#[allow(clippy::unnecessary_wraps)] // one type for all makers of commands
fn timeline(path: &Path) -> Option<CliCommand> {
    request(DaemonRequest::ShowTimeline(TimelineQuery {
        backend: path.name(ValueSlot::Backend),
        frontend: path.name(ValueSlot::Frontend),
        since: path.duration(),
    }))
}

#[allow(clippy::unnecessary_wraps)] // one type for all makers of commands
fn sync(path: &Path) -> Option<CliCommand> {
    request(DaemonRequest::Sync {
        frontend: path.name(ValueSlot::Frontend),
        dry_run: path.has("dry-run"),
        force: path.has("force"),
    })
}
