//! What an earlier daemon has kept, read before the actors start.

use std::path::Path;
use std::time::{Instant, SystemTime};

use tracing::{error, info, warn};
use vpp_maglev::domain::moment::Moment;
use vpp_maglev::domain::overrides::OverrideSet;
use vpp_maglev::state::{SetAside, StateDir, StateDirError, StoredOverrides};

pub struct KeptState {
    pub dir: StateDir,
    pub overrides: OverrideSet,
}

impl KeptState {
    /// Claims the directory, reads what is in it, and logs what there is.
    ///
    /// # Errors
    /// The directory cannot be used at all. A file in it that cannot is set aside.
    pub fn open(path: &Path) -> Result<Self, StateDirError> {
        let mut dir = StateDir::claim(path)?;
        let now = Moment { monotonic: Instant::now(), wall: SystemTime::now() };
        let StoredOverrides { overrides, set_aside } = dir.load(now);
        let file = dir.file();
        let file = file.display();
        match set_aside {
            None => info!(%file, overrides = overrides.entries().count(), "overrides-read"),
            Some(SetAside { why, to: Ok(to) }) => warn!(
                %file, why, set_aside = %to.display(),
                "overrides-set-aside: the file cannot be used, and no override is in force"
            ),
            Some(SetAside { why, to: Err(error) }) => error!(
                %file, why, %error,
                "overrides-blocked: the file cannot be used and not be set aside; \
                 no override is in force, and none can be set until it is moved away and maglevd restarted"
            ),
        }
        Ok(Self { dir, overrides })
    }
}
