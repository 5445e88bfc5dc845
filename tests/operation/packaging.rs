//! What ships beside the binary agrees with it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use faxgate_config::keys::{KEYS, Kind};

fn root() -> PathBuf {
    faxgate_testkit::paths::repository().to_path_buf()
}

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether the program reads this variable.
fn is_read(variable: &str) -> bool {
    KEYS.iter().any(|key| {
        key.variables.contains(&variable)
            || key.kind == Kind::Secret
                && variable
                    .strip_suffix("_FILE")
                    .is_some_and(|bare| key.variables.contains(&bare))
    })
}

/// The value of a setting of the unit.
fn setting<'a>(unit: &'a str, name: &str) -> &'a str {
    unit.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_unit_waits_as_long_as_the_service_may_take() {
    let unit = file("host/packaging/faxgate.service");
    let seconds = |name| setting(&unit, name).parse::<u64>().expect("seconds");
    // Requests of clients and those to the provider are waited for one after the other.
    assert!(seconds("TimeoutStopSec") > 2 * faxgate::lifecycle::SHUTDOWN_GRACE.as_secs());
    assert!(seconds("WatchdogSec") > 0);
    assert_eq!(setting(&unit, "Type"), "notify");
    assert_eq!(setting(&unit, "ExecReload"), "/bin/kill -HUP $MAINPID");
}

#[test]
fn the_unit_is_one_that_systemd_understands() {
    let unit = file("host/packaging/faxgate.service").replace(
        "/usr/local/bin/faxgate",
        &faxgate_testkit::paths::program().to_string_lossy(),
    );
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("faxgate.service");
    fs::write(&path, unit).expect("file");
    let verified = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .arg(&path)
        .output();
    match verified {
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            let ours: Vec<&str> = said
                .lines()
                .filter(|line| line.contains("faxgate.service"))
                .collect();
            assert!(done.status.success() && ours.is_empty(), "{said}");
        }
        Err(error) => eprintln!("skipped: systemd-analyze is not installed here ({error})"),
    }
}

#[test]
fn variables_of_the_container_are_variables_of_the_program() {
    let compose = file("host/packaging/compose.yaml");
    let environment = compose
        .lines()
        .skip_while(|line| line.trim() != "environment:")
        .skip(1)
        .take_while(|line| line.starts_with("      "))
        .filter(|line| !line.trim_start().starts_with('#'));
    let mut found = 0;
    for line in environment {
        let (variable, _) = line.trim().split_once(':').expect("a variable");
        assert!(is_read(variable), "{variable}");
        found += 1;
    }
    assert!(found >= 5, "{found}");
    let dockerfile = file("Dockerfile");
    let environment = dockerfile.split("\nENV ").nth(1).expect("ENV");
    let environment = environment.split("\nUSER").next().expect("USER");
    for pair in environment.split_whitespace().filter(|word| *word != "\\") {
        let (variable, _) = pair.split_once('=').expect("a variable");
        assert!(is_read(variable), "{variable}");
    }
    assert!(dockerfile.contains("USER nonroot") && dockerfile.contains("HEALTHCHECK"));
    assert!(compose.contains("read_only: true") && compose.contains("cap_drop: [ALL]"));
}

#[test]
fn the_reference_names_every_variable_and_the_readme_what_ships() {
    let readme = file("README.md");
    let reference = file("docs/configuration.md");
    let example = file("config.example.toml");
    for key in KEYS {
        for variable in key.variables {
            assert!(reference.contains(&format!("`{variable}`")), "{variable}");
            assert!(example.contains(variable), "{variable}");
        }
        assert!(reference.contains(&format!("`{}`", key.name)), "{}", key.name);
    }
    for shipped in [
        "host/packaging/faxgate.service",
        "host/packaging/compose.yaml",
        "Dockerfile",
    ] {
        assert!(readme.contains(shipped), "{shipped}");
        assert!(root().join(shipped).is_file(), "{shipped}");
    }
}
