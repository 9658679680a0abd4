//! On whose account tests command, and why a command of theirs was refused.

use std::time::Duration;

use crate::actors::controller::{CommandOrigin, OverrideFailed};
use crate::domain::controller::CommandRefused;

pub(super) fn by_a_test(lasts: Option<Duration>) -> CommandOrigin {
    CommandOrigin { who: "a test".into(), why: None, lasts }
}

pub(super) fn refused(failed: OverrideFailed) -> CommandRefused {
    match failed {
        OverrideFailed::Refused(refused) => refused,
        failed => panic!("{failed}"),
    }
}
