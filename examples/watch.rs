//! A small client: prints every change of state that maglevd tells, and takes a
//! stream that breaks up where it ended, so that none is lost.
//! `cargo run --example watch -- [http://127.0.0.1:9090]`

use std::time::Duration;

use tonic::Status;
use tonic::transport::Endpoint;
use vpp_maglev::pb::event::Event as Kind;
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{Event, ResumePoint, TransitionRecord, WatchRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:9090".into());
    let mut last = None;
    loop {
        if let Err(error) = follow(&url, &mut last).await {
            eprintln!("{url}: {error}");
        }
        // Whoever stopped the daemon may be about to start it again.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Prints events until the stream ends; `last` is where the next goes on.
async fn follow(
    url: &str,
    last: &mut Option<ResumePoint>,
) -> Result<(), Box<dyn std::error::Error>> {
    let channel = Endpoint::from_shared(url.to_owned())?.connect().await?;
    let request = WatchRequest {
        log: Some(false),
        dataplane: Some(false),
        resume: *last,
        ..WatchRequest::default()
    };
    let mut events = MaglevClient::new(channel).watch_events(request).await?.into_inner();
    loop {
        match events.message().await {
            Ok(Some(event)) => {
                *last = Some(ResumePoint { boot_id: event.boot_id, seq: event.seq });
                show(event);
            }
            Ok(None) => return Ok(()),
            Err(status) => return Err(ended(&status).into()),
        }
    }
}

fn ended(status: &Status) -> String {
    format!("the stream ended: {}", status.message())
}

fn show(event: Event) {
    match event.event {
        Some(Kind::Missed(missed)) => {
            println!("{} events were missed; the present state follows", missed.count);
        }
        Some(Kind::Backend(told)) => changed("backend", &told.backend_name, told.transition),
        Some(Kind::Frontend(told)) => changed("frontend", &told.frontend_name, told.transition),
        // Not asked for, or of a newer daemon.
        _ => {}
    }
}

fn changed(kind: &str, name: &str, transition: Option<TransitionRecord>) {
    let TransitionRecord { from, to, why, .. } = transition.unwrap_or_default();
    println!("{kind} {name}: {from} -> {to} {why}");
}
