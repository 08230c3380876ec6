//! The fuzz targets on stable Rust, over their corpus and over random bytes.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};
use threadline_fuzz::TARGETS;

/// Returns the files of a target's corpus, in the order of their names.
fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn every_target_holds_over_its_corpus() {
    for (target, check) in TARGETS {
        let files = corpus(target);
        assert!(files.len() >= 10, "the corpus of {target} has at least 10 inputs");
        for (path, data) in files {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&data))) {
                eprintln!("the input was {}", path.display());
                resume_unwind(panic);
            }
        }
    }
}

#[test]
fn every_target_holds_over_random_bytes() {
    for (target, check) in TARGETS {
        run(target, vec(any::<u8>(), 0..200), check);
    }
}

#[test]
fn every_target_holds_over_mutations_of_its_corpus() {
    for (target, check) in TARGETS {
        let files: Vec<Vec<u8>> = corpus(target).into_iter().map(|(_, data)| data).collect();
        let edits = vec((any::<prop::sample::Index>(), edit(files.clone())), 1..4);
        let inputs = (prop::sample::select(files), edits).prop_map(|(mut data, edits)| {
            for (at, edit) in edits {
                edit.make(&mut data, at);
            }
            data
        });
        run(target, inputs, check);
    }
}

/// A change to an input.
#[derive(Clone, Debug)]
enum Edit {
    Insert(Vec<u8>),
    Remove(usize),
    Replace(u8),
}

fn edit(files: Vec<Vec<u8>>) -> impl Strategy<Value = Edit> {
    // A part of another input reaches further than noise does.
    let piece =
        (prop::sample::select(files), any::<prop::sample::Index>(), 1..40_usize).prop_map(|(file, at, most)| {
            let start = at.index(file.len() + 1);
            file[start..].iter().copied().take(most).collect()
        });
    prop_oneof![
        prop_oneof![piece, vec(any::<u8>(), 1..4)].prop_map(Edit::Insert),
        (1..20_usize).prop_map(Edit::Remove),
        prop_oneof![any::<u8>(), b' '..=b'~'].prop_map(Edit::Replace),
    ]
}

impl Edit {
    fn make(self, data: &mut Vec<u8>, at: prop::sample::Index) {
        let at = at.index(data.len() + 1);
        match self {
            Self::Insert(bytes) => drop(data.splice(at..at, bytes)),
            Self::Remove(most) => drop(data.drain(at..(at + most).min(data.len()))),
            Self::Replace(byte) => {
                if let Some(place) = data.get_mut(at) {
                    *place = byte;
                }
            }
        }
    }
}

/// Runs a target over inputs. The seed is fixed; `PROPTEST_RNG_SEED` draws other inputs, and `PROPTEST_CASES` more of
/// them.
fn run(target: &str, inputs: impl Strategy<Value = Vec<u8>>, check: impl Fn(&[u8])) {
    let default = ProptestConfig::default();
    let seed = match default.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => 20_230_626,
    };
    println!("repeat these cases of {target} with PROPTEST_RNG_SEED={seed}");
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { 300 };
    let config = ProptestConfig { cases, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..default };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&inputs.prop_map(Input), |input| {
        check(&input.0);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{target}: {error}"));
}

/// An input, shown as text.
struct Input(Vec<u8>);

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}
