//! A socket that is full.

use super::*;

#[tokio::test]
async fn what_the_socket_has_no_room_for_goes_out_when_it_has() {
    // A window of them is three times what the kernel holds.
    let line = format!("show {}", "x".repeat(40_000));
    let (length, count) = (line.len(), options().window);
    let mut heads = Vec::new();
    let scene = peer(
        "",
        Box::new(move |peer, name, head, body, out| {
            if body.len() < length {
                return peer.usual(name, head, body, out);
            }
            heads.push(head);
            // No answer has the client write more before it has all of them.
            let answered = if heads.len() < count { &[][..] } else { &heads };
            answered.iter().all(|head| peer.usual(name, *head, body, out))
        }),
    );
    let client = VppClient::connect(&scene.path, options()).await.unwrap();
    let ask = |_| {
        let (client, line) = (client.clone(), line.clone());
        tokio::spawn(async move { client.cli(&line).await })
    };
    let asked: Vec<_> = (0..count).map(ask).collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap().unwrap(), "");
    }
    assert_eq!(client.close().await, EndReason::Left);
}
