//! The program `threadline`: its output, its exit codes, and its errors in one sentence.

use std::fs;
use std::io::Read;
use std::process::{Command, Output, Stdio};

fn threadline(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_threadline")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// Asserts that the arguments are refused by one sentence that contains `expected`.
#[track_caller]
fn refused(arguments: &[&str], expected: &str) {
    let output = threadline(arguments);
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains(expected), "{error}");
    assert_eq!((error.lines().count(), output.stdout.len()), (1, 0), "{error}");
}

#[test]
fn unknown_names_are_refused_with_the_choices() {
    refused(&["catalogue", "png"], "there is no format `png`: choose one of svg");
    refused(&["explain", "messages.sent"], "there is no pattern `messages.sent`: choose one of users.create, ");
    refused(&["explain"], "the pattern is missing: choose one of users.create, ");
    refused(&["catalogue", "svg", "--table", "messages"], "`--table` needs a format that names the table");
    refused(&["catalogue", "svg", "--policy", "user"], "`--policy` needs the format `iam`");
    refused(&["catalogue", "cloudformation", "--table", "ab"], "table name is invalid");
    refused(&["catalogue", "svg", "--output"], "a value is required for '--output <FILE>' but none was supplied");
    refused(&[], "choose one of catalogue, explain");
    refused(&["draw"], "choose one of catalogue");
    refused(&["catalogue"], "the format is missing: choose one of svg");
    refused(&["catalogue", "check"], "FORMAT=FILE");
    refused(&["catalogue", "svg", "--scale"], "--scale");
    refused(&["catalogue", "check", "docs/single-table.svg"], "is not FORMAT=FILE");
}

#[test]
fn help_is_no_error() {
    let output = threadline(&["--help"]);
    assert!(output.status.success() && text(&output.stdout).contains("Usage: threadline"));
}

#[test]
fn file_is_written_whole_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.svg");
    let (path, pair) = (path.to_str().unwrap(), format!("svg={}", path.display()));
    assert!(threadline(&["catalogue", "svg", "--output", path]).status.success());
    assert_eq!(fs::read(path).unwrap(), threadline(&["catalogue", "svg"]).stdout);
    assert!(threadline(&["catalogue", "check", &pair]).status.success());

    fs::write(path, "changed").unwrap();
    let output = threadline(&["catalogue", "check", &pair]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("differ from the catalogue"));

    assert!(threadline(&["catalogue", "update", &pair]).status.success());
    assert!(threadline(&["catalogue", "check", &pair]).status.success());
}

#[test]
fn page_keeps_its_own_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.md");
    let pair = format!("markdown={}", path.display());
    fs::write(&path, "Own text\n<!-- generated: costs -->\n<!-- end -->\n").unwrap();
    assert_eq!(threadline(&["catalogue", "check", &pair]).status.code(), Some(1));
    assert!(threadline(&["catalogue", "update", &pair]).status.success());
    assert!(threadline(&["catalogue", "check", &pair]).status.success());
    assert!(fs::read_to_string(&path).unwrap().starts_with("Own text\n<!-- generated: costs -->\n| pattern |"));

    fs::write(&path, "Own text\n").unwrap();
    assert!(!threadline(&["catalogue", "update", &pair]).status.success());
    assert_eq!(fs::read_to_string(&path).unwrap(), "Own text\n");
}

#[test]
fn check_and_update_take_the_options_of_the_output() {
    let folder = tempfile::tempdir().unwrap();
    for (format, option, name) in [("cloudformation", "--table", "messages"), ("iam", "--policy", "projector")] {
        let path = folder.path().join(format);
        let (path, pair) = (path.to_str().unwrap(), format!("{format}={}", path.display()));
        assert!(threadline(&["catalogue", format, option, name, "--output", path]).status.success());
        let printed = fs::read_to_string(path).unwrap();
        assert!(threadline(&["catalogue", "check", option, name, &pair]).status.success());
        assert_eq!(threadline(&["catalogue", "check", &pair]).status.code(), Some(1));
        assert!(threadline(&["catalogue", "update", option, name, &pair]).status.success());
        assert_eq!(fs::read_to_string(path).unwrap(), printed);
    }
}

#[cfg(unix)]
#[test]
fn file_keeps_its_permissions_and_a_link_its_target() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = tempfile::tempdir().unwrap();
    let [file, link, new, pipe] = ["file", "link", "new", "pipe"].map(|name| folder.path().join(name));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    symlink("/dev/null", &pipe).unwrap();
    for path in [&link, &new, &pipe] {
        assert!(threadline(&["catalogue", "svg", "--output", path.to_str().unwrap()]).status.success());
    }
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert!(link.is_symlink() && fs::read_to_string(&file).unwrap().starts_with("<svg"));
    fs::write(folder.path().join("usual"), "").unwrap();
    assert_eq!((mode(file), mode(new)), (0o640, mode(folder.path().join("usual"))));
    assert!(pipe.is_symlink() && !pipe.metadata().unwrap().is_file());
}

#[test]
fn file_that_cannot_be_written_is_an_error_with_its_path() {
    let output = threadline(&["catalogue", "svg", "--output", "no-such-folder/table.svg"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("the file `no-such-folder/table.svg` could not be written: "));
}

#[test]
fn closed_pipe_ends_the_program_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_threadline"))
        .args(["catalogue", "svg"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut error = String::new();
    child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert!(child.wait().unwrap().success() && error.is_empty(), "{error}");
}

#[cfg(feature = "dynamodb")]
#[test]
fn command_on_a_table_needs_an_address_of_plain_http() {
    refused(&["table"], "choose one of create, verify, ");
    refused(&["table", "list", "--endpoint", "https://localhost"], "it must start with http://");
}
