//! The Rust versions that the manifest and the README state are those that the dependencies need, with each feature.
//! Clippy's `incompatible_msrv` checks the crate's own code.

use std::collections::HashMap;
use std::process::Command;

use serde_json::Value;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Returns the greatest `rust-version` of the crates that a build with this feature compiles.
fn needed(feature: &str) -> (u32, u32, u32) {
    let versions = rust_versions();
    // Not `cargo metadata`, which enables the features that any member of the workspace asks for.
    let tree = cargo(&[
        "tree",
        "--package",
        "threadline",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--target",
        TARGET,
        "--features",
        feature,
    ]);
    let mut needed = (0, 0, 0);
    for line in tree.lines() {
        let mut words = line.split(' ');
        let (name, version) = (words.next().unwrap(), words.next().unwrap().trim_start_matches('v'));
        if name != "threadline"
            && let Some(rust) = &versions[&(name.to_owned(), version.to_owned())]
        {
            needed = needed.max(parse(rust));
        }
    }
    needed
}

/// Returns the `rust-version` of every crate of the workspace and its dependencies, by name and version.
fn rust_versions() -> HashMap<(String, String), Option<String>> {
    let metadata = cargo(&["metadata", "--format-version", "1", "--all-features", "--filter-platform", TARGET]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let id = (text(&package["name"]).unwrap(), text(&package["version"]).unwrap());
            (id, text(&package["rust_version"]))
        })
        .collect()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--locked")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn parse(version: &str) -> (u32, u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Returns the version that the README's table of features states.
fn stated(feature: &str) -> (u32, u32, u32) {
    let readme = include_str!("../../README.md");
    let row = readme.lines().find(|line| line.starts_with(&format!("| {feature} |"))).unwrap();
    parse(row.trim_end_matches('|').rsplit('|').next().unwrap().trim())
}

#[test]
fn the_default_build_needs_the_rust_that_the_manifest_states() {
    assert_eq!(needed(""), parse(env!("CARGO_PKG_RUST_VERSION")));
    assert_eq!(stated("none"), parse(env!("CARGO_PKG_RUST_VERSION")));
}

#[test]
fn each_feature_needs_the_rust_that_the_readme_states() {
    for feature in ["dynamodb", "lambda", "streams"] {
        assert_eq!(needed(feature), stated(&format!("`{feature}`")), "{feature}");
    }
}
