//! The diagnosis of VPP: what was seen, and below it what to do.

use crate::api::views::text::printable;
use crate::cli::render::context::{RenderContext, Tone};
use crate::pb;

/// Severities as the daemon writes them, with their tones.
const SEVERITIES: [(&str, Tone); 3] =
    [("fault", Tone::Bad), ("warning", Tone::Unsure), ("ok", Tone::Good)];

/// The width of the longest of them, and a gap.
const INDENT: usize = 9;

pub(super) fn doctor(doctor: &pb::VppDoctor, context: &RenderContext) -> String {
    let mut text = String::new();
    for finding in &doctor.findings {
        let word = printable(&finding.severity);
        let tone = SEVERITIES.iter().find(|(severity, _)| **severity == *word);
        let tone = tone.map_or(Tone::Plain, |(_, tone)| *tone);
        let blanks = " ".repeat(INDENT.saturating_sub(word.chars().count()).max(1));
        let subject = context.paint(Tone::Title, &printable(&finding.subject));
        let word = context.paint(tone, &word);
        text.push_str(&format!("{word}{blanks}{subject}: {}\n", printable(&finding.seen)));
        if !finding.remedy.is_empty() {
            let blanks = " ".repeat(INDENT);
            text.push_str(&format!("{blanks}to do: {}\n", printable(&finding.remedy)));
        }
    }
    let count = |severity: &str| {
        doctor.findings.iter().filter(|finding| finding.severity == severity).count()
    };
    let plural = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        number => format!("{number} {word}s"),
    };
    let (faults, warnings) = (plural(count("fault"), "fault"), plural(count("warning"), "warning"));
    format!("{text}\n{faults}, {warnings}, {} in order\n", count("ok"))
}
