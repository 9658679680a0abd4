//! The VppConnection over the embedded dataplane.

use std::time::Instant;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::host::logging::LogDemand;
use crate::vpp::embedded::{Control, Embedded, EmbeddedOptions};

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);

/// Records what the connection sends to the Reconciler.
struct ConnectionRecorder(mpsc::UnboundedSender<String>);

impl Actor for ConnectionRecorder {
    type Context = Context<Self>;
}

impl Handler<Connected> for ConnectionRecorder {
    type Result = ();

    fn handle(&mut self, Connected { epoch }: Connected, _: &mut Self::Context) {
        self.0.send(format!("up {}", epoch.0)).unwrap();
    }
}

impl Handler<Lost> for ConnectionRecorder {
    type Result = ();

    fn handle(&mut self, Lost { epoch, .. }: Lost, _: &mut Self::Context) {
        self.0.send(format!("lost {}", epoch.0)).unwrap();
    }
}

struct ConnectionTestBed {
    embedded: Embedded,
    vpp: Addr<VppConnection>,
    received: mpsc::UnboundedReceiver<String>,
    goodbye_handle: watch::Receiver<Option<GoodbyeHandle>>,
}

impl ConnectionTestBed {
    async fn new(options: EmbeddedOptions) -> Self {
        Self::pinging(options, Duration::from_millis(10)).await
    }

    async fn pinging(options: EmbeddedOptions, interval: Duration) -> Self {
        let embedded = Embedded::start_private(options).unwrap();
        let demand = LogDemand::default();
        let broadcaster = Broadcaster::new(1, Limits::default(), demand).start();
        let short = Duration::from_millis(500);
        let options = ClientOptions { patience: short, goodbye: short, ..ClientOptions::default() };
        let socket = Some(embedded.api_path().to_owned());
        let vpp = VppConnection::new(socket, options, EventBatcher::new(&broadcaster))
            .with_ping_interval(interval);
        let goodbye_handle = vpp.goodbye_handle();
        let vpp = vpp.start();
        let (sender, received) = mpsc::unbounded_channel();
        let recorder = ConnectionRecorder(sender).start();
        let subscribe = SubscribeConnection {
            connected: recorder.clone().recipient(),
            lost: recorder.recipient(),
        };
        vpp.send(subscribe).await.unwrap();
        Self { embedded, vpp, received, goodbye_handle }
    }

    fn control(&self) -> Control {
        self.embedded.control()
    }

    async fn next(&mut self) -> String {
        timeout(DEADLINE, self.received.recv()).await.expect("nothing was sent").unwrap()
    }

    async fn clients(&self) -> usize {
        let control = self.control();
        control.snapshot().unwrap().clients.len()
    }
}

#[actix_rt::test]
async fn silence_is_not_the_end_and_ends_with_a_new_epoch() {
    let mut bed = ConnectionTestBed::new(EmbeddedOptions::default()).await;
    assert_eq!(bed.next().await, "up 1");
    bed.control().freeze().unwrap();
    assert_eq!(bed.next().await, "lost 1");
    let silent = bed.vpp.send(GetVppInfo).await.unwrap().unwrap_err();
    assert_eq!(silent, DataplaneError::NotConnected("VPP is silent".into()));
    bed.control().thaw().unwrap();
    assert_eq!(bed.next().await, "up 2");
    assert!(bed.vpp.send(Observe).await.unwrap().is_ok_and(|seen| seen.epoch == Epoch(2)));
    assert_eq!(bed.vpp.send(GetVppInfo).await.unwrap().unwrap().epoch, Epoch(2));
    // What was meant for VPP as it was before is not done.
    let write = |epoch| Apply { epoch, steps: vec![], urgent: false };
    assert_eq!(bed.vpp.send(write(Epoch(1))).await.unwrap(), Err(DataplaneError::reconnected()));
    assert_eq!(bed.vpp.send(write(Epoch(2))).await.unwrap(), Ok(vec![]));
    let read = |epoch| ReadServers { epoch, vips: [].into() };
    assert_eq!(bed.vpp.send(read(Epoch(1))).await.unwrap(), Err(DataplaneError::reconnected()));
    assert_eq!(bed.vpp.send(read(Epoch(2))).await.unwrap(), Ok([].into()));
}

#[actix_rt::test]
async fn a_vpp_that_stays_silent_is_disconnected_and_dialed_for_ever() {
    let mut bed = ConnectionTestBed::new(EmbeddedOptions::default()).await;
    assert_eq!(bed.next().await, "up 1");
    bed.control().freeze().unwrap();
    assert_eq!(bed.next().await, "lost 1");
    let closed = async {
        while bed.vpp.send(GetVppInfo).await.unwrap()
            == Err(DataplaneError::NotConnected("VPP is silent".into()))
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, closed).await.expect("the connection is closed");
    bed.control().thaw().unwrap();
    assert_eq!(bed.next().await, "up 2");
}

#[actix_rt::test]
async fn a_vpp_that_restarts_is_another_epoch() {
    let mut bed = ConnectionTestBed::new(EmbeddedOptions::default()).await;
    for epoch in 1..=5 {
        assert_eq!(bed.next().await, format!("up {epoch}"));
        bed.control().restart().unwrap();
        assert_eq!(bed.next().await, format!("lost {epoch}"));
    }
}

#[actix_rt::test]
async fn a_greeting_alone_does_not_reset_the_backoff() {
    let hour = Duration::from_secs(3600);
    let mut bed = ConnectionTestBed::pinging(EmbeddedOptions::default(), hour).await;
    let begun = Instant::now();
    for epoch in 1..=4 {
        assert_eq!(bed.next().await, format!("up {epoch}"));
        bed.control().disconnect().unwrap();
        assert_eq!(bed.next().await, format!("lost {epoch}"));
    }
    assert_eq!(bed.next().await, "up 5");
    // Half of 100, 200, 400 and 800 ms at least; the greatest of four first waits are 400.
    assert!(begun.elapsed() >= Duration::from_millis(750), "{:?}", begun.elapsed());
}

#[actix_rt::test]
async fn a_vpp_without_weights_is_not_programmed_and_its_messages_are_named() {
    let without = vec!["lb_as_set_weight"];
    let bed =
        ConnectionTestBed::new(EmbeddedOptions { without, ..EmbeddedOptions::default() }).await;
    let info = async {
        loop {
            if let Ok(info) = bed.vpp.send(GetVppInfo).await.unwrap() {
                return info;
            }
            tokio::task::yield_now().await;
        }
    };
    let info = timeout(DEADLINE, info).await.expect("it connects");
    assert_eq!(info.missing.len(), 1);
    assert!(info.missing[0].starts_with("lb_as_set_weight"), "{:?}", info.missing);
    let refused = bed.vpp.send(Observe).await.unwrap().unwrap_err();
    assert_eq!(refused, DataplaneError::Missing(info.missing));
}

#[actix_rt::test]
async fn every_end_says_goodbye() {
    let mut bed = ConnectionTestBed::new(EmbeddedOptions::default()).await;
    assert_eq!(bed.next().await, "up 1");
    assert_eq!(bed.clients().await, 1);
    let goodbye = bed.goodbye_handle.borrow().clone().expect("it is prepared");
    assert!(goodbye.say(), "as a panic hook does");
    assert_eq!(bed.next().await, "lost 1", "VPP has closed the connection");
    assert_eq!(bed.next().await, "up 2");
    bed.vpp.send(Close).await.unwrap();
    assert_eq!(bed.clients().await, 0);
    assert!(bed.goodbye_handle.borrow().is_none());
}
