//! When a failed probe is evidence against a backend.
//!
//! A failed probe says that the server failed, or the way to it. It counts against the
//! server only if the way worked meanwhile: if a *witness* passed, which is another
//! backend of the same [`ProbeGroup`](group::ProbeGroup) or a configured address. So when everything
//! seems to fail at once, the daemon doubts its own eyes first.
//!
//! - **Witnessed**: another backend's probe passed, that began after the first failure
//!   of the streak ended and before the deciding one began. The verdict stands at once.
//!   Where one failure decides (`fall: 1`), the other probe began during it.
//! - **Asking**: there is no such pass. Two other backends, or the configured witnesses,
//!   are probed now. If one passes, the verdict stands: at once where the server had
//!   answered (with an error), or else with its next failure, which is probed for at
//!   once. A probe that was lost on the way proves nothing about a way that works
//!   again.
//! - **Held**: none of them passed. The backend stays as it was. A pass anywhere in the
//!   group ends the hold, and failures count anew; `doubt-limit` ends it as well, and
//!   then the verdict stands. While VPP is away the limit does not run: nothing could be
//!   written, and probes often go through VPP.
//!
//! [`passes`] notes who passed, [`health`](crate::domain::health) judges one backend,
//! and [`doubts`] asks and sets limits for all of them.

pub mod doubts;
pub mod group;
pub mod hold;
pub mod passes;
