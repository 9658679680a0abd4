//! Tests the events that subscribers receive.

use super::*;
use crate::actors::broadcaster::{EventFilter, StreamItem, Subscribe};
use crate::domain::events::Event;

#[actix_rt::test]
async fn verdicts_become_weights_and_events() {
    let (up, down) = (ScriptedServer::serving(2), ScriptedServer::refusing(3));
    let bed = ControllerTestBed::start(&file(&[(&up, "tcp", 60), (&down, "tcp", 100)]));
    bed.until("probed web 2=60 3=0").await;
    assert_eq!(bed.take_recorded()[0], "all web 2=? 3=?");

    // The snapshot has the last transitions, once the EventBatcher has sent them.
    let filter = EventFilter {
        log: None,
        backend: true,
        frontend: true,
        dataplane: false,
        change: true,
        hold: true,
        drain: true,
        audit: true,
        announcement: true,
    };
    let expected = ["b2 up: L4OK", "b3 down: L4CON connection refused", "web up"];
    let mut received = Vec::new();
    for _ in 0..100 {
        let subscribe = Subscribe { filter, resume: None };
        let mut stream = bed.broadcaster.send(subscribe).await.unwrap().unwrap();
        received.clear();
        for _ in expected {
            let next = std::future::poll_fn(|context| stream.poll_next(context)).await;
            let Some(StreamItem::Event(_, numbered)) = next else {
                panic!("{received:?}, and {next:?}")
            };
            received.push(match &numbered.event {
                Event::Backend(name, change) => format!("{name} {}: {}", change.to, change.why),
                Event::Frontend(name, change) => format!("{name} {}", change.to),
                other => panic!("{other:?}"),
            });
        }
        if received == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{received:?}");
}
