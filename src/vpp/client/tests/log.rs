//! The debug log of the messages.

use std::sync::{Arc, Mutex};

use super::*;

/// What a subscriber printed.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_message_is_in_the_debug_log() {
    let printed = Printed::default();
    let writer = printed.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // With one subscriber alone, tracing caches for all threads whether an event
    // is of interest to the first of them; other tests' threads have none. With a
    // second one it asks each.
    let _other = tracing::Dispatch::new(tracing_subscriber::registry());
    let _guard = tracing::subscriber::set_default(subscriber);
    let scene = peer("", usual());
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    assert_eq!(client.apply(weights(1), true).await, [Ok(())]);
    client.close().await;
    let text = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
    for (event, message, field) in [
        ("vpp-api-send", "sockclnt_create", "name=maglevd"),
        ("vpp-api-recv", "sockclnt_create_reply", "index=2147483649"),
        ("vpp-api-send", "cli_inband", "cmd"),
        ("vpp-api-recv", "control_ping_reply", "vpe_pid: 42"),
        ("vpp-api-send", "lb_as_set_weight", "weight: 0"),
        ("vpp-api-recv", "lb_as_set_weight_reply", "retval: 0"),
        ("vpp-api-send", "sockclnt_delete", "index=2147483649"),
        ("vpp-api-recv", "sockclnt_delete_reply", ""),
    ] {
        let msg = format!("api_message=\"{message}\"");
        let is_it =
            |line: &str| line.contains(event) && line.contains(&msg) && line.contains(field);
        assert!(text.lines().any(is_it), "{event} {message} {field} in\n{text}");
    }
}
