//! Generates the gRPC code from `proto/maglev.proto` with a compiler written in
//! Rust, so that a build needs no system `protoc`.

use std::path::PathBuf;

use prost::Message;

const PROTO: &str = "proto/maglev.proto";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_file(PROTO)?;
    let descriptors = compiler.file_descriptor_set();
    // The reflection service serves this copy.
    std::fs::write(out.join("maglev.bin"), descriptors.encode_to_vec())?;
    // By far the largest event, and one of the rarest.
    let large = ".maglev.Event.event.audit";
    tonic_prost_build::configure().boxed(large).compile_fds(descriptors)?;

    println!("cargo:rustc-env=MAGLEV_COMMIT={}", commit());
    println!("cargo:rustc-env=MAGLEV_BUILD_DATE={}", build_date());
    Ok(())
}

/// The commit that is built, or `unknown` outside a git checkout.
fn commit() -> String {
    println!("cargo:rerun-if-env-changed=MAGLEV_BUILD_COMMIT");
    // Only a release follows every commit: other builds need not start anew for it.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && let Some(head) = run("git", &["rev-parse", "--git-path", "logs/HEAD"])
    {
        println!("cargo:rerun-if-changed={head}");
    }
    std::env::var("MAGLEV_BUILD_COMMIT")
        .ok()
        .or_else(|| run("git", &["rev-parse", "--short=12", "HEAD"]))
        .unwrap_or_else(|| "unknown".into())
}

/// The date of the commit, so that one commit gives one binary wherever it is
/// built; `SOURCE_DATE_EPOCH` (reproducible-builds.org) overrides it.
fn build_date() -> String {
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|epoch| run("date", &["-u", "-d", &format!("@{epoch}"), "+%Y-%m-%d"]))
        .or_else(|| run("git", &["log", "-1", "--format=%cs"]))
        .unwrap_or_else(|| "unknown".into())
}

fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
