//! Counts what happened in the simulation, so that a run in which something never
//! happens fails.

/// The number of each kind of event, over all seeds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SimulationCounts {
    pub(super) restarts: u32,
    pub(super) lost: u32,
    pub(super) refused: u32,
    pub(super) foreign_writes: u32,
    pub(super) read_backs: u32,
    /// A VIP lost its last server, and was allowed to.
    pub(super) emptied: u32,
    pub(super) reloads: u32,
    pub(super) commands: u32,
    pub(super) announced: u32,
    pub(super) withdrawn: u32,
}

impl SimulationCounts {
    fn numbers(&mut self) -> [&mut u32; 10] {
        let Self {
            restarts,
            lost,
            refused,
            foreign_writes,
            read_backs,
            emptied,
            reloads,
            commands,
            announced,
            withdrawn,
        } = self;
        [
            restarts,
            lost,
            refused,
            foreign_writes,
            read_backs,
            emptied,
            reloads,
            commands,
            announced,
            withdrawn,
        ]
    }

    pub(super) fn add(&mut self, mut other: Self) {
        for (sum, number) in self.numbers().into_iter().zip(other.numbers()) {
            *sum += *number;
        }
    }

    /// Whether everything happened at least once.
    pub(super) fn is_complete(mut self) -> bool {
        self.numbers().into_iter().all(|number| *number > 0)
    }
}
