//! The Resolver on paused time, over the lookups of a fake.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::domain::resolution::IpFamily;

/// A name server that answers `(seconds of TTL, last numbers of addresses)`,
/// or fails.
type Zone = Arc<Mutex<Option<(u64, Vec<u8>)>>>;

/// Answers from `zone`, and counts the lookups.
fn fake_resolver(zone: &Zone, asked: &Arc<Mutex<u32>>) -> FakeResolver {
    let (zone, asked) = (Arc::clone(zone), Arc::clone(asked));
    Arc::new(move |_| {
        *asked.lock().unwrap() += 1;
        let answer = match &*zone.lock().unwrap() {
            None => LookupAnswer::Failed("no such name".into()),
            Some((ttl, numbers)) => LookupAnswer::Found {
                addresses: numbers.iter().map(|number| ip(*number)).collect(),
                ttl: Duration::from_secs(*ttl),
            },
        };
        Box::pin(async move { answer })
    })
}

fn ip(number: u8) -> IpAddr {
    // 0 stands for an address that no server can have.
    if number == 0 { IpAddr::from([0; 4]) } else { IpAddr::from([192, 0, 2, number]) }
}

/// Stands in for the Controller.
struct ResolutionRecorder(Rc<RefCell<Vec<String>>>);

impl Actor for ResolutionRecorder {
    type Context = Context<Self>;
}

impl Handler<Resolved> for ResolutionRecorder {
    type Result = ();

    fn handle(&mut self, resolved: Resolved, _: &mut Self::Context) {
        self.0.borrow_mut().push(match resolved.resolution {
            Resolution::At(address) => format!("{} {address}", resolved.backend),
            Resolution::Failing(why) => format!("{} {why}", resolved.backend),
        });
    }
}

fn names(names: &[(&str, &str)]) -> SetNames {
    let named = |(backend, name): &(&str, &str)| {
        let host = HostName { name: (*name).into(), family: IpFamily::V4 };
        (BackendName::from(*backend), host)
    };
    SetNames { names: names.iter().map(named).collect(), nameservers: vec![] }
}

#[actix_rt::test]
async fn a_name_is_looked_up_as_its_ttl_asks_and_keeps_its_address_when_it_fails() {
    tokio::time::pause();
    let (zone, asked): (Zone, _) = (Arc::new(Mutex::new(Some((60, vec![7, 8])))), Arc::default());
    let recorded = Rc::new(RefCell::new(Vec::new()));
    let recorder = ResolutionRecorder(Rc::clone(&recorded)).start().recipient();
    let resolver = Resolver::new(Some(fake_resolver(&zone, &asked)), recorder).start();
    let pass = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
    let take_asked = || std::mem::take(&mut *asked.lock().unwrap());

    resolver.send(names(&[("b", "www.example.org")])).await.unwrap();
    pass(59).await;
    assert_eq!((recorded.take(), take_asked()), (vec!["b 192.0.2.7".into()], 1));
    // It is still among those found: nothing changes.
    *zone.lock().unwrap() = Some((60, vec![1, 7]));
    pass(2).await;
    assert_eq!((recorded.take(), take_asked()), (vec![], 1));
    *zone.lock().unwrap() = Some((60, vec![0, 9, 5]));
    pass(60).await;
    assert_eq!((recorded.take(), take_asked()), (vec!["b 192.0.2.5".into()], 1));
    // Reported once, looked up after 1, 2, 4, 8 and 16 seconds, then every 30.
    *zone.lock().unwrap() = None;
    pass(60).await;
    assert_eq!(recorded.take(), ["b no such name"]);
    pass(600).await;
    assert_eq!(recorded.take(), [""; 0]);
    assert!((20..30).contains(&take_asked()));
    *zone.lock().unwrap() = Some((60, vec![0]));
    pass(30).await;
    assert_eq!(recorded.take(), ["b 0.0.0.0 cannot be the address of a server"]);
    *zone.lock().unwrap() = Some((u64::MAX, vec![5]));
    pass(30).await;
    assert_eq!(recorded.take(), ["b 192.0.2.5"]);
    take_asked();
    pass(3500).await;
    assert_eq!(take_asked(), 0, "a TTL of years is an hour");
    pass(120).await;
    assert_eq!(take_asked(), 1);

    // A reload looks up every name, one that stays as well, and one that is gone no
    // more.
    *zone.lock().unwrap() = Some((u64::MAX, vec![6]));
    resolver.send(names(&[("b", "www.example.org")])).await.unwrap();
    pass(1).await;
    assert_eq!((recorded.take(), take_asked()), (vec!["b 192.0.2.6".into()], 1));
    *zone.lock().unwrap() = Some((u64::MAX, vec![5, 6]));
    resolver.send(names(&[("b", "www.example.org"), ("c", "c.example.org")])).await.unwrap();
    pass(1).await;
    assert_eq!((recorded.take(), take_asked()), (vec!["c 192.0.2.5".into()], 2));
    resolver.send(names(&[("b", "b.example.org")])).await.unwrap();
    pass(1).await;
    assert_eq!((recorded.take(), take_asked()), (vec!["b 192.0.2.5".into()], 1));
    resolver.send(names(&[])).await.unwrap();
    pass(7200).await;
    assert_eq!(take_asked(), 0);
}

#[actix_rt::test]
async fn a_lookup_that_began_before_a_reload_is_followed_by_another() {
    tokio::time::pause();
    let asked = Arc::new(Mutex::new(0));
    let slow: FakeResolver = {
        let asked = Arc::clone(&asked);
        Arc::new(move |_| {
            let number = {
                let mut asked = asked.lock().unwrap();
                *asked += 1;
                *asked
            };
            Box::pin(async move {
                tokio::time::sleep(Duration::from_secs(4)).await;
                let ttl = Duration::from_secs(600);
                LookupAnswer::Found { addresses: vec![ip(number)], ttl }
            })
        })
    };
    let recorded = Rc::new(RefCell::new(Vec::new()));
    let recorder = ResolutionRecorder(Rc::clone(&recorded)).start().recipient();
    let resolver = Resolver::new(Some(slow), recorder).start();
    let pass = |seconds| tokio::time::sleep(Duration::from_secs(seconds));
    for _ in 0..3 {
        resolver.send(names(&[("b", "www.example.org")])).await.unwrap();
        pass(1).await;
    }
    pass(2).await;
    assert_eq!(recorded.take(), ["b 192.0.2.1"], "reloads do not keep it from its address");
    pass(4).await;
    assert_eq!((recorded.take(), *asked.lock().unwrap()), (vec!["b 192.0.2.2".into()], 2));
}
