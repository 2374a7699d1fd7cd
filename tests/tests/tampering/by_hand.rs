//! The steps that the pack's `README.txt` tells people to take, taken as they stand there.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use evidence::pack;

use super::forged::Log;
use super::pack::{Pack, statements};
use super::story;

/// What stands between the lines of ```` ``` ````.
fn steps(readme: &str) -> Vec<String> {
    let parts: Vec<&str> = readme.split("```\n").collect();
    assert!(parts.len() % 2 == 1, "an odd number of fences");
    parts.iter().skip(1).step_by(2).map(|step| (*step).to_owned()).collect()
}

fn unpack(pack: &Pack, folder: &Path) {
    for (name, bytes) in &pack.0 {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Takes the first `count` steps in an empty folder.
fn take(pack: &Pack, count: usize) -> Output {
    let folder = tempfile::tempdir().unwrap();
    unpack(pack, folder.path());
    let steps = steps(&pack.text(pack::README));
    let script = steps.iter().take(count).map(String::as_str).collect::<String>();
    Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", &script])
        .current_dir(folder.path())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text))
        .concat()
}

fn fails_at(step: usize, what: &str, pack: &Pack) {
    let before = take(pack, step - 1);
    assert!(
        before.status.success(),
        "{what}: failed before step {step}: {}",
        said(&before)
    );
    let output = take(pack, step);
    assert!(
        !output.status.success(),
        "{what}: step {step} passed: {}",
        said(&output)
    );
}

#[test]
fn a_good_pack_passes() {
    for bytes in [&story().pack, &story().older] {
        let pack = Pack::read(bytes);
        assert_eq!(steps(&pack.text(pack::README)).len(), 5);
        let output = take(&pack, 5);
        assert!(output.status.success(), "{}", said(&output));
        let text = said(&output);
        assert_eq!(text.matches("Signature Verified Successfully").count(), 3, "{text}");
        assert!(text.contains("entries are here and in the log"), "{text}");
    }
}

#[test]
fn altered_packs_do_not() {
    let facts = Pack::good().facts_of("sshd");
    let mut altered = Pack::good();
    altered.replace(&facts, "observed", "absent");
    fails_at(1, "facts", &altered);
    altered.sum();
    fails_at(3, "facts, with sums", &altered);
    Log::real().issue(&mut altered);
    let output = take(&altered, 4);
    // The manifest of the first statement may be another host's.
    assert!(
        output.status.success() || said(&output).contains("FAILED"),
        "{}",
        said(&output)
    );

    let mut more = Pack::good();
    more.0.insert("more.txt".to_owned(), b"hello".to_vec());
    fails_at(1, "a file more", &more);

    let first = pack_file_first(&Pack::good());
    let mut unsigned = Pack::good();
    unsigned.replace(&first, "\"sig\":\"", "\"sig\":\"AAAA");
    Log::real().issue(&mut unsigned);
    fails_at(4, "a signature", &unsigned);

    let mut missing = Pack::good();
    missing.lines(&statements(story().ids()[0]), |lines| drop(lines.remove(5)));
    Log::real().issue(&mut missing);
    fails_at(5, "a statement left out", &missing);

    let mut other = Pack::good();
    let swapped = other.text(pack::CHECKPOINT).replace("\n44\n", "\n43\n");
    other.0.insert(pack::CHECKPOINT.to_owned(), swapped.into_bytes());
    Log::real().issue(&mut other);
    fails_at(5, "another size", &other);

    let mut unsigned = Pack::good();
    unsigned.replace(pack::CHECKPOINT, "tests.example/log\n", "tests.example/log2\n");
    Log::real().issue(&mut unsigned);
    fails_at(5, "another origin", &unsigned);
}

/// The file whose first line step c takes.
fn pack_file_first(pack: &Pack) -> String {
    let hosts = pack.names("statements/").into_iter();
    hosts.filter(|name| name != pack::COLLECTOR).min().unwrap()
}
