//! What the live view knows, and what the operator wants of it. A value that
//! updates and keys change; it reads no clock and draws nothing.

use std::collections::{BTreeMap, VecDeque};

use super::keys::PressedKey;
use crate::cli::error::CliError;
use crate::cli::render::context::{Tone, printable};
use crate::pb;
use crate::pb::event::Event;

/// Changes remembered for the list of the latest.
const REMEMBERED: usize = 100;

/// Whether the daemon answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DaemonStatus {
    /// Not yet.
    Connecting,
    /// Yes.
    Up,
    /// No longer, in words; what is shown is what was known then.
    Down(String),
}

/// What is known of VPP.
#[derive(Clone, Debug, PartialEq)]
pub enum VppStatus {
    /// Nothing yet.
    Unknown,
    /// It is connected.
    Connected(pb::VppInfo),
    /// It is not, in the daemon's words.
    Away(String),
}

/// Everything that was asked for at one time.
#[derive(Clone, Debug)]
pub struct Answers {
    /// All frontends.
    pub frontends: Vec<pb::FrontendInfo>,
    /// All backends; `None`: not asked for, events tell of them.
    pub backends: Option<Vec<pb::BackendInfo>>,
    /// VPP.
    pub vpp: VppStatus,
}

/// Something new.
#[derive(Debug)]
pub enum Update {
    /// The connection to the daemon.
    Link(DaemonStatus),
    /// An event.
    Event(pb::Event),
    /// The whole state.
    All(Answers),
    /// Some frontends, asked for because an event concerned them. Those that
    /// are named and not there are gone.
    Some {
        /// What was asked for.
        names: Vec<String>,
        /// What there is.
        frontends: Vec<pb::FrontendInfo>,
    },
    /// One backend that was not known.
    Backend(pb::BackendInfo),
    /// VPP's connection.
    Vpp(VppStatus),
    /// There will be no more.
    End(CliError),
}

/// The last change of a thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) address: String,
    pub(super) state: String,
    /// Unix time in nanoseconds; 0: not known.
    pub(super) since_ns: i64,
    pub(super) why: String,
}

/// One line of the list of the latest changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecentChange {
    pub(super) at_ns: i64,
    pub(super) text: String,
    pub(super) tone: Tone,
}

/// In which order frontends are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum SortOrder {
    /// What is wrong first, then by name.
    #[default]
    Urgency,
    /// By name.
    Name,
    /// What changed last first.
    Latest,
}

impl SortOrder {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Urgency => "wrong first",
            Self::Name => "by name",
            Self::Latest => "latest first",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Urgency => Self::Name,
            Self::Name => Self::Latest,
            Self::Latest => Self::Urgency,
        }
    }
}

/// What the view knows and shows.
#[derive(Debug)]
pub struct Model {
    pub(super) server: String,
    pub(super) link: DaemonStatus,
    pub(super) vpp: VppStatus,
    pub(super) frontends: BTreeMap<String, pb::FrontendInfo>,
    /// States of frontends, as events told them.
    pub(super) standings: BTreeMap<String, Standing>,
    pub(super) backends: BTreeMap<String, Standing>,
    pub(super) changes: VecDeque<RecentChange>,
    pub(super) order: SortOrder,
    pub(super) folded: bool,
    pub(super) filter: String,
    pub(super) typing: bool,
    /// The first row shown.
    pub(super) top: usize,
    /// Rows that the terminal has for the table, when it was last drawn.
    pub(super) page: usize,
}

impl Model {
    /// Nothing known yet of a daemon.
    #[must_use]
    pub fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            link: DaemonStatus::Connecting,
            vpp: VppStatus::Unknown,
            frontends: BTreeMap::new(),
            standings: BTreeMap::new(),
            backends: BTreeMap::new(),
            changes: VecDeque::new(),
            order: SortOrder::default(),
            folded: false,
            filter: String::new(),
            typing: false,
            top: 0,
            page: 0,
        }
    }

    /// Whether it was never drawn.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.page == 0
    }

    /// Whether keys are letters of the filter.
    #[must_use]
    pub fn is_typing(&self) -> bool {
        self.typing
    }

    /// Takes something new in.
    pub fn update(&mut self, update: Update) {
        match update {
            Update::Link(link) => self.link = link,
            Update::Vpp(vpp) => self.vpp = vpp,
            Update::Event(event) => self.event(event),
            Update::Backend(backend) => self.learn(backend),
            Update::Some { names, frontends } => {
                for name in names {
                    self.frontends.remove(&name);
                }
                self.frontends.extend(frontends.into_iter().map(|f| (f.name.clone(), f)));
            }
            Update::All(Answers { frontends, backends, vpp }) => {
                self.frontends = frontends.into_iter().map(|f| (f.name.clone(), f)).collect();
                self.standings.retain(|name, _| self.frontends.contains_key(name));
                self.vpp = vpp;
                if let Some(backends) = backends {
                    self.backends.clear();
                    backends.into_iter().for_each(|backend| self.learn(backend));
                }
            }
            Update::End(_) => {}
        }
    }

    fn learn(&mut self, backend: pb::BackendInfo) {
        let last = backend.transitions.last().cloned().unwrap_or_default();
        let standing = Standing {
            address: backend.address,
            state: backend.state,
            since_ns: last.at_unix_ns,
            why: if last.why.is_empty() { backend.last_result } else { last.why },
        };
        self.backends.insert(backend.name, standing);
    }

    fn event(&mut self, event: pb::Event) {
        match event.event {
            Some(Event::Backend(pb::BackendEvent { backend_name, transition: Some(last) })) => {
                self.note("backend", &backend_name, &last);
                stand(&mut self.backends, backend_name, last);
            }
            Some(Event::Frontend(pb::FrontendEvent { frontend_name, transition: Some(last) })) => {
                self.note("frontend", &frontend_name, &last);
                if let Some(frontend) = self.frontends.get_mut(&frontend_name) {
                    frontend.state.clone_from(&last.to);
                }
                stand(&mut self.standings, frontend_name, last);
            }
            Some(Event::Dataplane(write)) => {
                let tone = match write.kind.as_str() {
                    "disconnected" | "model_mismatch" => Tone::Bad,
                    "connected" => Tone::Good,
                    _ => Tone::Plain,
                };
                let words = ["VPP", &write.frontend_name, &write.kind, &write.detail];
                self.change(write.at_unix_ns, &words, tone);
            }
            Some(Event::Missed(missed)) => {
                let at_ns = self.changes.front().map_or(0, |change| change.at_ns);
                let text = format!("{} events missed", missed.count);
                self.change(at_ns, &[&text], Tone::Unsure);
            }
            _ => {}
        }
    }

    /// Adds a transition to the latest changes; the present state, with which
    /// every stream begins, is none.
    fn note(&mut self, kind: &str, name: &str, last: &pb::TransitionRecord) {
        if last.from == last.to {
            return;
        }
        let arrow = format!("{} → {}", last.from, last.to);
        self.change(last.at_unix_ns, &[kind, name, &arrow, &last.why], Tone::of_state(&last.to));
    }

    fn change(&mut self, at_ns: i64, words: &[&str], tone: Tone) {
        let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
        self.changes.truncate(REMEMBERED - 1);
        self.changes.push_front(RecentChange { at_ns, text: printable(&words.join(" ")), tone });
    }

    /// Obeys a key; true: the operator leaves.
    pub fn press(&mut self, key: PressedKey) -> bool {
        match key {
            PressedKey::Quit => return true,
            PressedKey::Sort => self.order = self.order.next(),
            PressedKey::Fold => self.folded = !self.folded,
            PressedKey::Filter => self.typing = true,
            PressedKey::Letter(letter) => self.filter.push(letter),
            PressedKey::Erase => drop(self.filter.pop()),
            PressedKey::Accept => self.typing = false,
            PressedKey::Clear => {
                self.typing = false;
                self.filter.clear();
            }
            PressedKey::Lines(lines) => self.scroll(lines),
            PressedKey::Pages(pages) => {
                let page = i64::try_from(self.page).unwrap_or(i64::MAX);
                self.scroll(pages.saturating_mul(page));
            }
            PressedKey::Top => self.top = 0,
            PressedKey::Bottom => self.top = usize::MAX,
        }
        if !matches!(
            key,
            PressedKey::Lines(_) | PressedKey::Pages(_) | PressedKey::Top | PressedKey::Bottom
        ) {
            self.top = 0;
        }
        false
    }

    fn scroll(&mut self, lines: i64) {
        let lines = isize::try_from(lines).unwrap_or(0);
        self.top = self.top.saturating_add_signed(lines);
    }

    /// The table has `page` lines for `rows` rows: the first one shown leaves
    /// none of them empty while there are more rows.
    pub(super) fn fit(&mut self, rows: usize, page: usize) {
        self.page = page.max(1);
        self.top = self.top.min(rows.saturating_sub(page));
    }
}

fn stand(standings: &mut BTreeMap<String, Standing>, name: String, last: pb::TransitionRecord) {
    if last.to == "removed" {
        standings.remove(&name);
        return;
    }
    let standing = standings.entry(name).or_default();
    (standing.state, standing.since_ns, standing.why) = (last.to, last.at_unix_ns, last.why);
}
