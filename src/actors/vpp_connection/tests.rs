use tokio::sync::mpsc;
use tokio::time::timeout;

use super::*;
use crate::actors::broadcaster::{Broadcaster, Limits};
use crate::host::logging::LogDemand;
use crate::vpp::embedded::{Control, Embedded, EmbeddedOptions};

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(20);

/// Notes what the connection tells.
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
    heard: mpsc::UnboundedReceiver<String>,
    goodbye_handle: watch::Receiver<Option<GoodbyeHandle>>,
}

impl ConnectionTestBed {
    async fn new(options: EmbeddedOptions) -> Self {
        let embedded = Embedded::start_private(options).unwrap();
        let demand = LogDemand::default();
        let broadcaster = Broadcaster::new(1, Limits::default(), demand).start();
        let quick = Duration::from_millis(500);
        let options = ClientOptions { patience: quick, goodbye: quick, ..ClientOptions::default() };
        let socket = Some(embedded.api_path().to_owned());
        let vpp = VppConnection::new(socket, options, EventBatcher::new(&broadcaster))
            .with_ping_interval(Duration::from_millis(10));
        let goodbye_handle = vpp.goodbye_handle();
        let vpp = vpp.start();
        let (told, heard) = mpsc::unbounded_channel();
        let ear = ConnectionRecorder(told).start();
        let listen =
            SubscribeConnection { connected: ear.clone().recipient(), lost: ear.recipient() };
        vpp.send(listen).await.unwrap();
        Self { embedded, vpp, heard, goodbye_handle }
    }

    fn control(&self) -> Control {
        self.embedded.control()
    }

    async fn hear(&mut self) -> String {
        timeout(DEADLINE, self.heard.recv()).await.expect("nothing was told").unwrap()
    }

    async fn clients(&self) -> usize {
        let control = self.control();
        control.snapshot().unwrap().clients.len()
    }
}

#[actix_rt::test]
async fn silence_is_not_the_end_and_ends_with_a_new_epoch() {
    let mut bench = ConnectionTestBed::new(EmbeddedOptions::default()).await;
    assert_eq!(bench.hear().await, "up 1");
    bench.control().freeze().unwrap();
    assert_eq!(bench.hear().await, "lost 1");
    let silent = bench.vpp.send(GetVppInfo).await.unwrap().unwrap_err();
    assert_eq!(silent, DataplaneError::NotConnected("VPP is silent".into()));
    bench.control().thaw().unwrap();
    assert_eq!(bench.hear().await, "up 2");
    assert!(bench.vpp.send(Observe).await.unwrap().is_ok_and(|seen| seen.epoch == Epoch(2)));
    assert_eq!(bench.vpp.send(GetVppInfo).await.unwrap().unwrap().epoch, Epoch(2));
}

#[actix_rt::test]
async fn a_vpp_that_stays_silent_is_given_up_and_dialed_for_ever() {
    let mut bench = ConnectionTestBed::new(EmbeddedOptions::default()).await;
    assert_eq!(bench.hear().await, "up 1");
    bench.control().freeze().unwrap();
    assert_eq!(bench.hear().await, "lost 1");
    let given_up = async {
        while bench.vpp.send(GetVppInfo).await.unwrap()
            == Err(DataplaneError::NotConnected("VPP is silent".into()))
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, given_up).await.expect("it is given up");
    bench.control().thaw().unwrap();
    assert_eq!(bench.hear().await, "up 2");
}

#[actix_rt::test]
async fn a_vpp_that_restarts_is_another_epoch() {
    let mut bench = ConnectionTestBed::new(EmbeddedOptions::default()).await;
    for epoch in 1..=5 {
        assert_eq!(bench.hear().await, format!("up {epoch}"));
        bench.control().restart().unwrap();
        assert_eq!(bench.hear().await, format!("lost {epoch}"));
    }
}

#[actix_rt::test]
async fn a_vpp_without_weights_is_not_programmed_and_its_messages_are_named() {
    let without = vec!["lb_as_set_weight"];
    let bench =
        ConnectionTestBed::new(EmbeddedOptions { without, ..EmbeddedOptions::default() }).await;
    let info = async {
        loop {
            if let Ok(info) = bench.vpp.send(GetVppInfo).await.unwrap() {
                return info;
            }
            tokio::task::yield_now().await;
        }
    };
    let info = timeout(DEADLINE, info).await.expect("it connects");
    assert_eq!(info.missing.len(), 1);
    assert!(info.missing[0].starts_with("lb_as_set_weight"), "{:?}", info.missing);
    let refused = bench.vpp.send(Observe).await.unwrap().unwrap_err();
    assert_eq!(refused, DataplaneError::Missing(info.missing));
}

#[actix_rt::test]
async fn every_end_says_goodbye() {
    let mut bench = ConnectionTestBed::new(EmbeddedOptions::default()).await;
    assert_eq!(bench.hear().await, "up 1");
    assert_eq!(bench.clients().await, 1);
    let words = bench.goodbye_handle.borrow().clone().expect("they are prepared");
    assert!(words.say(), "as a panic hook does");
    assert_eq!(bench.hear().await, "lost 1", "VPP has closed the connection");
    assert_eq!(bench.hear().await, "up 2");
    bench.vpp.send(Close).await.unwrap();
    assert_eq!(bench.clients().await, 0);
    assert!(bench.goodbye_handle.borrow().is_none());
}
