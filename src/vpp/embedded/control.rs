//! The handle by which tests inspect an embedded VPP and inject faults.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::cli;
use super::error::EmbeddedError;
use super::plugin::{Plugin, PluginApi};
use crate::vpp::embedded::fault_injection::{
    EmbeddedSnapshot, FaultCondition, InjectedFault, WriteRecord,
};
use crate::vpp::embedded::server::{EmbeddedServer, ServerCommand};

/// A handle of a running [`Embedded`](super::Embedded).
///
/// Every call waits until the VPP has done what is asked, which takes
/// microseconds, and then holds for everything that it receives afterwards.
/// All fail with [`EmbeddedError::Gone`] once the VPP was dropped.
#[derive(Clone, Debug)]
pub struct Control {
    // Not bounded: each caller waits for the answer before it asks again.
    commands: mpsc::UnboundedSender<ServerCommand>,
    activity: watch::Receiver<u64>,
}

impl Control {
    pub(super) fn new(
        commands: mpsc::UnboundedSender<ServerCommand>,
        activity: watch::Receiver<u64>,
    ) -> Self {
        Self { commands, activity }
    }

    /// Injects a fault into requests that are received from now on.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn inject(&self, when: FaultCondition, fault: InjectedFault) -> Result<(), EmbeddedError> {
        self.ask(move |server| server.faults.add(when, fault))
    }

    /// Sends the answers that were held back.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn release(&self) -> Result<(), EmbeddedError> {
        self.ask(EmbeddedServer::release)
    }

    /// Makes VPP do nothing, as if its main thread were stuck: connections
    /// stay, and requests wait until [`Control::thaw`].
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn freeze(&self) -> Result<(), EmbeddedError> {
        self.ask(|server| server.frozen = true)
    }

    /// Ends [`Control::freeze`].
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn thaw(&self) -> Result<(), EmbeddedError> {
        self.ask(|server| server.frozen = false)
    }

    /// Closes every connection.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn disconnect(&self) -> Result<(), EmbeddedError> {
        self.ask(|server| server.clients.clear())
    }

    /// Restarts VPP: connections end, sockets are bound anew, all is empty.
    /// Starts it, if it was stopped.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`], or why a socket could not be bound.
    pub fn restart(&self) -> Result<(), EmbeddedError> {
        self.ask(EmbeddedServer::restart)?
    }

    /// The same, as a VPP with another version of `lb.api`.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`], or why a socket could not be bound.
    pub fn restart_as(&self, api: PluginApi) -> Result<(), EmbeddedError> {
        self.ask(move |server| server.restart_as(api))?
    }

    /// Stops VPP, whose socket files go with it.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn stop(&self) -> Result<(), EmbeddedError> {
        self.ask(|server| server.stop_listening(false))
    }

    /// Kills VPP: its socket files stay, and refuse connections.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn kill(&self) -> Result<(), EmbeddedError> {
        self.ask(|server| server.stop_listening(true))
    }

    /// Moves VPP's clock; what it would have done meanwhile is done.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn advance(&self, by: Duration) -> Result<(), EmbeddedError> {
        self.ask(move |server| {
            server.process.advance(by);
            server.publish_heartbeat();
        })
    }

    /// Changes the plugin's state without a message, as traffic or another
    /// operator would. The second argument is the uptime in seconds.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn edit<T: Send + 'static>(
        &self,
        edit: impl FnOnce(&mut Plugin, u32) -> T + Send + 'static,
    ) -> Result<T, EmbeddedError> {
        self.ask(|server| {
            server.process.catch_up();
            let now = server.process.now();
            edit(&mut server.process.plugin, now)
        })
    }

    /// Runs a line of VPP's CLI; gives its return value and what it prints.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn cli(&self, line: &str) -> Result<(i32, String), EmbeddedError> {
        let line = line.as_bytes().to_vec();
        self.ask(move |server| {
            let output = cli::run(&line, &mut server.process, &server.clients);
            (output.retval, output.text)
        })
    }

    /// The state at this moment.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn snapshot(&self) -> Result<EmbeddedSnapshot, EmbeddedError> {
        self.ask(EmbeddedServer::snapshot)
    }

    /// The changes that clients asked for, in the order in which they came,
    /// restarts included. The last 100 000 are kept.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn writes(&self) -> Result<Vec<WriteRecord>, EmbeddedError> {
        self.ask(|server| server.writes.iter().copied().collect())
    }

    /// The same, and removes them.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn take_writes(&self) -> Result<Vec<WriteRecord>, EmbeddedError> {
        self.ask(|server| std::mem::take(&mut server.writes).into())
    }

    /// How many requests of each name were received.
    ///
    /// # Errors
    /// [`EmbeddedError::Gone`]
    pub fn received(&self) -> Result<BTreeMap<&'static str, u64>, EmbeddedError> {
        self.ask(|server| server.received.clone())
    }

    /// A number that changes whenever something has happened in VPP: a test waits
    /// for it before it reads the state again.
    #[must_use]
    pub fn activity(&self) -> watch::Receiver<u64> {
        self.activity.clone()
    }

    pub(super) fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut EmbeddedServer) -> T + Send + 'static,
    ) -> Result<T, EmbeddedError> {
        // Of the standard library, so that it waits in async tests too.
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        let command: ServerCommand = Box::new(move |server| {
            let done = ask(server);
            server.publish_counters();
            // It fails when the caller is gone: then the answer is not needed.
            let _ = answer.send(done);
        });
        self.commands.send(command).map_err(|_| EmbeddedError::Gone)?;
        answered.recv().map_err(|_| EmbeddedError::Gone)
    }
}
