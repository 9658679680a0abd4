//! Tests answers that come too late: of earlier connections, and of calls that others
//! have replaced.

use super::*;

#[actix_rt::test]
async fn answers_of_an_earlier_connection_are_not_taken_for_the_present_ones() {
    // An observation that is answered after its connection was lost.
    let mut bed = ReconcilerTestBed::new();
    bed.vpp().hold_answers = true;
    bed.replace(&[frontend(1, &[100])], Duration::ZERO).await;
    bed.connect(1).await;
    bed.lose(1).await;
    bed.connect(2).await;
    assert_eq!(bed.take_log(), ["observe", "observe"]);
    bed.release().await;
    assert_eq!(bed.take_log(), NOTHING);
    bed.release().await;
    assert_eq!(bed.take_log(), ["+f1, +f1 s1=100"]);

    // A write that is answered after its connection was lost, to a VPP that restarted empty.
    bed.lose(2).await;
    bed.vpp().observed.vips.clear();
    bed.connect(3).await;
    assert_eq!(bed.take_log(), ["observe"]);
    bed.release().await;
    assert_eq!(bed.take_log(), NOTHING);
    bed.release().await;
    assert_eq!(bed.take_log(), ["+f1, +f1 s1=100"]);
    bed.release_all().await;
    assert_eq!(bed.take_log(), NOTHING);

    // A loss that is reported late.
    bed.lose(2).await;
    assert_eq!(bed.sync(Scope::All, true).await.unwrap(), NOTHING);
    // An observation over a connection that is not known yet.
    bed.vpp().epoch = Epoch(4);
    bed.vpp().observed.vips.clear();
    let reconnected = Err(SyncError::Dataplane(DataplaneError::reconnected()));
    assert_eq!(bed.sync(Scope::All, false).await, reconnected);
    assert_eq!(bed.take_log(), ["observe", "observe"]);
}

#[actix_rt::test]
async fn an_answer_belongs_to_its_call_and_to_no_other() {
    let bed = ReconcilerTestBed::steady(&[frontend(1, &[100])]).await;
    // A write that is answered while the next connection's is in flight.
    bed.vpp().hold_answers = true;
    bed.change(&[frontend(1, &[50])]).await;
    bed.lose(1).await;
    bed.change(&[frontend(1, &[60])]).await;
    bed.connect(2).await;
    bed.vpp().held_answers.swap(0, 1);
    bed.release().await;
    assert_eq!(bed.take_log(), ["!f1 s1=50", "observe", "f1 s1=60"]);
    bed.release().await;
    bed.change(&[frontend(1, &[70])]).await;
    assert_eq!(bed.take_log(), NOTHING, "the batch of f1 is not answered yet");
    bed.release().await;
    assert_eq!(bed.take_log(), ["!f1 s1=70"]);
    bed.release_all().await;
    tokio::time::sleep(Duration::from_secs(1)).await;

    // A read-back that is answered after a pass, while the next is in progress.
    bed.change(&[frontend(1, &[50])]).await;
    bed.vpp().hold_answers = true;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let sync = bed.begin_sync(Scope::All, false);
    idle().await;
    bed.vpp().held_answers.swap(0, 1);
    bed.release().await;
    assert!(sync.await.unwrap().is_ok());
    bed.change(&[frontend(1, &[60])]).await;
    bed.vpp().held_answers.swap(0, 1);
    bed.release().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(bed.take_log(), ["!f1 s1=50", "observe", "!f1 s1=60"]);
    assert_eq!(bed.vpp().held_answers.len(), 2, "two read-backs");
    bed.release().await;
    assert_eq!(bed.take_log(), NOTHING, "it shows VPP before the last write");
    bed.release_all().await;
    assert_eq!(bed.take_log(), NOTHING);
}
