//! The Rust that the crate says it needs is what its dependencies need, with each feature. (What its own code needs is held
//! by clippy's `incompatible_msrv`.)

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

/// The greatest `rust-version` among the crates that a build with this feature compiles.
fn needed(feature: &str) -> (u32, u32, u32) {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--features", feature])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages: HashMap<&str, &Value> =
        list(&metadata["packages"]).map(|package| (text(&package["id"]), package)).collect();
    let nodes: HashMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).map(|node| (text(&node["id"]), node)).collect();

    let root = text(&metadata["resolve"]["root"]);
    let (mut seen, mut open) = (HashSet::from([root]), vec![root]);
    let mut most = (0, 0, 0);
    while let Some(id) = open.pop() {
        if id != root
            && let Some(version) = packages[id]["rust_version"].as_str()
        {
            most = most.max(parse(version));
        }
        for dependency in list(&nodes[id]["deps"]) {
            let compiled = list(&dependency["dep_kinds"]).any(|kind| kind["kind"].as_str() != Some("dev"));
            if compiled && seen.insert(text(&dependency["pkg"])) {
                open.push(text(&dependency["pkg"]));
            }
        }
    }
    most
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn parse(version: &str) -> (u32, u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap());
    (parts.next().unwrap(), parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// What the README's table of features says.
fn stated(feature: &str) -> (u32, u32, u32) {
    let readme = include_str!("../README.md");
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
    for feature in ["dynamodb", "lambda", "streams", "conformance", "mock"] {
        assert_eq!(needed(feature), stated(&format!("`{feature}`")), "{feature}");
    }
}
