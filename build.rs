//! Generates the gRPC code from `proto` with a compiler written in Rust, so that a
//! build needs no system `protoc`, and the list of the web page's files.

use std::path::{Path, PathBuf};

use prost::Message;

const PROTO: &str = "proto/maglev.proto";
/// Of routing daemons that maglevd is a client of.
const FOREIGN: [&str; 2] = ["proto/gobgp_v3.proto", "proto/gobgp_v4.proto"];
const PAGE: &str = "src/web/page";

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
    for foreign in FOREIGN {
        println!("cargo:rerun-if-changed={foreign}");
        tonic_prost_build::configure().compile_fds(protox::compile([foreign], ["proto"])?)?;
    }

    println!("cargo:rerun-if-changed={PAGE}");
    std::fs::write(out.join("web_page.rs"), page()?)?;

    println!("cargo:rustc-env=MAGLEV_COMMIT={}", commit());
    println!("cargo:rustc-env=MAGLEV_BUILD_DATE={}", build_date());
    Ok(())
}

/// An array of the path of each file of the page, and its bytes.
fn page() -> std::io::Result<String> {
    let root = std::path::absolute(PAGE)?;
    let mut files = Vec::new();
    find(&root, &mut files)?;
    files.sort();
    let entry = |file: &PathBuf| {
        let path = file.strip_prefix(&root).unwrap_or(file).display().to_string();
        format!("    ({path:?}, include_bytes!({:?}) as &[u8]),\n", file.display().to_string())
    };
    let entries: String = files.iter().map(entry).collect();
    Ok(format!("&[\n{entries}]\n"))
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes()[0] == b'.');
        if path.is_dir() {
            find(&path, files)?;
        } else if !is_hidden {
            files.push(path);
        }
    }
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
