//! Tests that a prober whose probes take another way, or none, ends what was suspected
//! and asked of it.

use super::*;
use crate::domain::evidence::doubts::QuestionId;
use crate::domain::resolution::IpFamily;

/// What a prober reported, a line each.
#[derive(Clone, Default)]
struct ReportRecorder(Arc<Mutex<Vec<String>>>);

impl Actor for ReportRecorder {
    type Context = Context<Self>;
}

impl ReportRecorder {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Handler<Transitioned> for ReportRecorder {
    type Result = ();

    fn handle(&mut self, message: Transitioned, _: &mut Self::Context) {
        self.add(message.transition.to.to_string());
    }
}

impl Handler<Suspected> for ReportRecorder {
    type Result = ();

    fn handle(&mut self, Suspected { group, suspicion, .. }: Suspected, _: &mut Self::Context) {
        self.add(match suspicion {
            Suspicion::Ahead(_) => format!("{group} ahead"),
            Suspicion::Doubted(doubt) => format!("{group} doubted: {}", doubt.why),
            Suspicion::Over { .. } => format!("{group} over"),
        });
    }
}

impl Handler<TrendChanged> for ReportRecorder {
    type Result = ();

    fn handle(&mut self, _: TrendChanged, _: &mut Self::Context) {}
}

impl Handler<CertificateSeen> for ReportRecorder {
    type Result = ();

    fn handle(&mut self, _: CertificateSeen, _: &mut Self::Context) {}
}

impl Handler<Damped> for ReportRecorder {
    type Result = ();

    fn handle(&mut self, _: Damped, _: &mut Self::Context) {}
}

impl Handler<Answered> for ReportRecorder {
    type Result = ();

    fn handle(&mut self, Answered { group, passed, .. }: Answered, _: &mut Self::Context) {
        let answer = if passed.is_some() { "passes" } else { "does not pass" };
        self.add(format!("{group} {answer}"));
    }
}

/// A prober of an IPv4 backend that passed once and fails since; its reports.
async fn doubted() -> (Addr<Prober>, ReportRecorder) {
    let text = "maglev: { vpp: { lb: { ipv4-src-address: 192.0.2.1, ipv6-src-address: \
                '2001:db8::1' } }, healthchecks: { c: { type: icmp, interval: 2s, timeout: 1s, \
                rise: 1, fall: 2 } }, backends: { b: { address: 192.0.2.5, healthcheck: c } } }";
    let config = config::parse(text).unwrap().config;
    let (_, effects) = ControllerState::new(Arc::new(config), SystemTime::now());
    let Some(ControllerEffect::StartProber { id, backend, settings }) = effects.into_iter().next()
    else {
        panic!("a prober is started");
    };
    let reports = ReportRecorder::default();
    let to = ProberRecipients::from(&reports.clone().start());
    let passes = Mutex::new(1);
    let probe: FakeProbe = Arc::new(move |_| {
        let mut left = passes.lock().unwrap();
        let code = if *left > 0 { ResultCode::L3Ok } else { ResultCode::L3Timeout };
        *left = i32::max(*left - 1, 0);
        Box::pin(async move { ProbeResult::new(code, String::new()) })
    });
    let prober = Prober::new(id, backend, settings, ProbeTransport::Fake(probe), to).start();
    let is_doubted =
        || reports.0.lock().unwrap().iter().any(|line| line.starts_with("ipv4 doubted"));
    for _ in 0..1000 {
        if is_doubted() {
            reports.take();
            return (prober, reports);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it is not doubted: {:?}", reports.take());
}

fn ask() -> Ask {
    let group = ProbeGroup { family: IpFamily::V4, source: None };
    // Nothing that it did until now is an answer.
    Ask { group, question: QuestionId::default(), since: now() + Duration::from_secs(3600) }
}

#[actix_rt::test]
async fn a_doubt_and_a_question_end_when_the_check_is_gone() {
    tokio::time::pause();
    let (prober, reports) = doubted().await;
    prober.send(ask()).await.unwrap();
    prober.send(CheckChanged(None)).await.unwrap();
    tokio::task::yield_now().await;
    let mut ended = reports.take();
    ended.sort();
    assert_eq!(ended, ["ipv4 does not pass", "ipv4 over"]);
}

#[actix_rt::test]
async fn a_doubt_and_a_question_end_when_the_name_leads_to_the_other_family() {
    tokio::time::pause();
    let (prober, reports) = doubted().await;
    prober.send(ask()).await.unwrap();
    prober.send(Readdressed("2001:db8::5".parse().unwrap())).await.unwrap();
    tokio::task::yield_now().await;
    let mut ended = reports.take();
    ended.sort();
    assert_eq!(ended, ["ipv4 does not pass", "ipv4 over", "ipv6 over"]);
}

#[actix_rt::test]
async fn a_question_is_answered_when_the_backend_is_paused() {
    tokio::time::pause();
    let (prober, reports) = doubted().await;
    prober.send(ask()).await.unwrap();
    let why = String::from("a test");
    prober.send(Administer { admin: Admin::Paused, why, within: Duration::ZERO }).await.unwrap();
    tokio::task::yield_now().await;
    let mut ended = reports.take();
    ended.sort();
    assert_eq!(ended, ["ipv4 does not pass", "ipv4 over", "paused"]);
}
