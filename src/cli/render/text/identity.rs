//! Whom the daemon takes this client for.

use super::common::or_dash;
use crate::api::views::text::printable;
use crate::cli::render::context::{RenderContext, Tone};
use crate::pb::CallerIdentity;

pub(super) fn identity(identity: &CallerIdentity, context: &RenderContext) -> String {
    let tone = match identity.role.as_str() {
        "operator" => Tone::Good,
        "none" => Tone::Bad,
        _ => Tone::Plain,
    };
    let role = context.paint(tone, &identity.role);
    let proved = if identity.proved.is_empty() {
        "nothing".into()
    } else {
        printable(&identity.proved.join(", "))
    };
    let listener = format!("{} (others: {})", identity.listener, identity.listener_role);
    let version = or_dash(&identity.version);
    let rows = [
        ("role", role),
        ("because", printable(&identity.explanation)),
        ("who", printable(&identity.who)),
        ("proved", proved),
        ("listener", printable(&listener)),
        ("maglevd", printable(version)),
    ];
    rows.iter().map(|(name, value)| format!("{name:<10}{value}\n")).collect()
}
