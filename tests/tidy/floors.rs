//! Which room may use which: imports go to lower floors, or stay inside their room.

use super::scan::code_only;

/// The rooms of each floor, from the ground.
const FLOORS: [&[&str]; 8] = [
    &["base"],
    &["domain"],
    &["config"],
    &["telemetry"],
    &[
        "store",
        "artifacts",
        "phaxio",
        "simulator",
        "tls",
        "ratelimit",
        "plugin",
    ],
    &["app", "dispatch", "retention"],
    &["http"],
    &["cli", "compose", "control", "lifecycle", "main"],
];

/// The floor of a room.
pub(super) fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Every import of a file that goes up or sideways. The roof joins everything, so its rooms may know each other.
pub(super) fn breaches(path: &str, text: &str) -> Vec<String> {
    let Some(inside) = path
        .strip_prefix("host/src/")
        .and_then(|inside| inside.strip_suffix(".rs"))
    else {
        return Vec::new();
    };
    if inside == "lib" {
        return Vec::new();
    }
    let modules: Vec<&str> = inside.split('/').collect();
    let room = modules[0];
    let Some(own) = floor(room) else {
        return vec![format!("{path}: the room {room} has no floor")];
    };
    let mut found = Vec::new();
    for (line, used) in used_rooms(&code_only(text), modules.len()) {
        let Some(other) = floor(&used) else { continue };
        let roof = own == FLOORS.len() - 1;
        if used != room && (other > own || other == own && !roof) {
            found.push(format!(
                "{path}:{line} {room} (floor {own}) uses {used} (floor {other})"
            ));
        }
    }
    found
}

/// Names that stand directly below the crate in paths, with their lines: `crate::x`, `crate::{x, y::z}`, and
/// `super::x` where that many `super`s lead out of the file's room.
fn used_rooms(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let outward = "super::".repeat(depth);
    for root in ["crate::", "faxgate::", &outward] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let line = code[..at].lines().count().max(1);
            let rest = &code[at + root.len()..];
            found.extend(first_names(rest).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// The first name of a path, or of each path of a group in braces.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name(rest)];
    };
    let (mut names, mut depth, mut fresh) = (Vec::new(), 1, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                names.push(name(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[test]
fn an_import_turned_upside_down_is_noticed() {
    let rule = |path: &str, text: &str| breaches(path, text).len();
    let up = "//! x\nuse crate::store::Store;\n";
    assert_eq!(rule("host/src/app/send.rs", up), 0, "down");
    assert_eq!(rule("host/src/store/writer.rs", up), 0, "inside");
    assert_eq!(rule("host/src/domain/job.rs", up), 1, "up");
    assert_eq!(rule("host/src/artifacts.rs", up), 1, "sideways");
    assert_eq!(
        rule(
            "host/src/compose.rs",
            "use crate::{cli, http::{self, conn}, base::clock};"
        ),
        0,
        "the roof"
    );
    let hidden = [
        "fn f() { crate::http::serve(); }",
        "use crate::{base::clock,\n    http::{self}};",
        "use crate::{domain::{job::Job}, app};",
        "pub(in crate::app) fn f() {}",
        "type X = Vec<crate::dispatch::Worker>;",
        "use super::super::retention;",
    ];
    for text in hidden {
        assert_eq!(rule("host/src/store/writer.rs", text), 1, "{text}");
    }
    let fine = [
        "// use crate::http;",
        "const X: &str = \"crate::http\";",
        "use super::http;",
        "use other_crate::http;",
        "use crate::config::http;",
    ];
    for text in fine {
        assert_eq!(rule("host/src/store/writer.rs", text), 0, "{text}");
    }
    assert_eq!(rule("tests/main.rs", up), 0, "not in the house");
    assert_eq!(rule("host/src/cellar.rs", ""), 1, "a room without a floor");
}
