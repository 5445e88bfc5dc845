//! The description of the interface against the service: schemathesis (PyPI) makes requests out of the one and holds
//! the answers of the other against it. `FAXGATE_STRESS=20` makes about twenty times as many.

use std::path::PathBuf;
use std::process::{Command, Output};

use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::{BOOTSTRAP, Setup};

/// Checks that are about this service's promises: no fault of ours, and no answer that is not described.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,allow_header_conformance,ignored_auth,\
                      missing_required_header";

/// The program, installed once and kept beside the build; none where that is impossible.
fn schemathesis() -> Result<PathBuf, String> {
    let home = faxgate_testkit::paths::scratch().join("schemathesis");
    let program = home.join("bin/st");
    let run = |program: &mut Command| match program.output() {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let there = || run(Command::new(&program).arg("--version"));
    if there().is_err() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        let pip = home.join("bin/pip");
        run(Command::new(pip).args(["install", "--quiet", "schemathesis==4.32.5"]))?;
        there()?;
    }
    Ok(program)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("task")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_a_fault_or_a_surprise() {
    let program = match blocking(schemathesis).await {
        Ok(program) => program,
        Err(why) => {
            eprintln!("skipped: schemathesis can't be installed here: {why}");
            return;
        }
    };
    let mut setup = Setup::new();
    setup
        .set("disabled", true)
        .set("inbound.enabled", true)
        .set("log.level", "info")
        .set("limits.inbound_list_rpm", 0)
        .set("limits.inbound_get_rpm", 0)
        .set("limits.auth_failures_per_minute", 0);
    let plain = setup.enforce_nothing();
    let installation = setup.start().await;
    let fax = Fax::pdf("+12125550142", documents::pdf(1, "x"));
    installation.admin.accepted(&fax).await;
    let factor: u32 = std::env::var("FAXGATE_STRESS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let folder = installation.folder();
    let done: Output = blocking(move || {
        Command::new(program)
            .args([
                "run",
                &format!("{plain}/openapi.json"),
                "--no-color",
                "--no-shrink",
            ])
            .args(["--header", &format!("X-API-Key: {BOOTSTRAP}")])
            .args([
                "--phases",
                "examples,coverage,fuzzing,stateful",
                "--checks",
                CHECKS,
            ])
            .args([
                "--max-examples",
                &(3 * factor).to_string(),
                "--seed",
                "1",
                "--workers",
                "1",
            ])
            .args([
                "--generation-database",
                "none",
                "--continue-on-failure",
                "--warnings",
                "off",
            ])
            .current_dir(folder)
            .output()
            .expect("schemathesis")
    })
    .await;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let summary = said.rfind("SUMMARY").map_or("", |at| &said[at..]);
    eprintln!("{summary}");
    assert!(
        done.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert_eq!(installation.admin.get("/health").await.status, 200);
}
