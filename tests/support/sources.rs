//! The source files of the library, for tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the Rust files of these folders of `src`, as paths below it, in order.
pub(crate) fn sources(folders: &[&str]) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| src.join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of src can be read") {
            let path = entry.expect("an entry of src can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(&src).expect("it lies below src");
                files.push(below.to_str().expect("a name in src is Unicode").replace('\\', "/"));
            }
        }
    }
    files.sort();
    files
}
