//! What several scenarios do.

use super::bed::Bed;
use super::configuration::Configuration;

pub(crate) fn set_weight_and_back(bed: &mut Bed, weight: u8) {
    bed.set_weight(0, weight);
    bed.watch(3000);
    bed.set_weight(0, Configuration::QUICK.weights[0]);
    bed.watch(2000);
}

pub(crate) fn reload_and_back(bed: &mut Bed, change: fn(&mut Configuration)) {
    bed.daemon.reload(change);
    bed.watch(3000);
    bed.daemon.reload(|of| *of = Configuration::QUICK);
    bed.watch(3000);
}

/// Has the daemon program a VPP with weights and one without, in turn.
pub(crate) fn replace_vpp(bed: &mut Bed) {
    for _ in 0..2 {
        let had_weights = bed.daemon.has_weights();
        bed.replace_vpp();
        bed.daemon.until_settled(&[]);
        assert_ne!(bed.daemon.has_weights(), had_weights, "the other VPP is of the same kind");
        bed.watch(8000);
    }
}
