//! What the edge costs: requests a second over TLS 1.3 keep-alive, against a bare hyper and rustls server that answers
//! the same bytes, and against nginx where it is installed.
//!
//! `cargo bench --bench http`, or with `-- WORD` only what has the word in its name. Every server is a process of its
//! own, and writes its log as it would in life (the bare one has none). The load generator shares the machine with them, so only the ratios mean something: the servers of a
//! line are measured in turns, and the best round of each counts. Not criterion: what matters is throughput with many
//! clients, not the time of one call.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench may fail loudly and prints its result"
)]

mod load;
mod neighbours;
mod servers;

use std::path::Path;

use faxgate_testkit::documents;
use faxgate_testkit::service::delivery::Delivery;
use load::{Case, Target};
use serde_json::{Value, json};
use servers::{Process, ROOT_KEY};

/// Rounds of each measurement.
const ROUNDS: usize = 3;
/// Connections that are held to see what one costs.
const IDLE: usize = 10_000;
/// The answer of the smallest route.
const HEALTH: &str = r#"{"status":"ok"}"#;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match arguments.next() {
        Some(word) if word == servers::BARE => runtime.block_on(servers::be_bare(arguments)),
        Some(word) if word == neighbours::OTHER => runtime.block_on(neighbours::be_other(arguments)),
        // Cargo says what this is before it passes on what was asked.
        _ => runtime.block_on(run(std::env::args().skip(1).find(|word| !word.starts_with('-')))),
    }
}

async fn run(only: Option<String>) {
    servers::raise_file_limit();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let (certificate, _) = servers::certificate(data);
    let (service, plain) = servers::faxgate(data).await;
    let plain = format!("http://{plain}");
    let edge = Target::new(service.address, &certificate, false);
    let pdf = documents::plain_pdf(100 * 1024);
    let cases = cases(&edge, &plain, &pdf).await;
    std::fs::write(data.join("file.pdf"), &pdf).unwrap();
    let nginx = servers::nginx(data, HEALTH, &data.join("file.pdf")).await;
    if nginx.is_none() {
        println!("nginx is not installed: its column stays empty");
    }
    let race = Race {
        data,
        certificate: &certificate,
        service: &service,
        nginx: nginx.as_ref(),
    };
    println!(
        "{:<32} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "requests a second", "bare", "nginx", "faxgate", "to bare", "to nginx"
    );
    let wanted = |name: &str| only.as_ref().is_none_or(|word| name.contains(word));
    for (case, at_nginx) in cases.iter().filter(|(case, _)| wanted(case.name)) {
        race.requests(case, *at_nginx).await;
    }
    if wanted("full handshakes") {
        race.handshakes().await;
    }
    if wanted("neighbours") {
        let (health, _) = &cases[0];
        neighbours::measure(&edge, service.address, &certificate, health).await;
    }
    if wanted("idle connections") {
        race.idle(&edge).await;
    }
}

/// What is asked, and where nginx has the same.
async fn cases(edge: &Target, plain: &str, pdf: &[u8]) -> Vec<(Case, Option<&'static str>)> {
    let key = new_key(plain).await;
    let text = Case::fax("POST /fax, 50 lines of text", &key, &documents::lines_of_text(50));
    let accepted: Value = serde_json::from_slice(&edge.sample(&text).await).unwrap();
    let fax = format!("/fax/{}", accepted["id"].as_str().unwrap());
    let link = link_to_received(plain, pdf).await;
    let health = Case::get("GET /health", "/health", None);
    let document = Case::get("PDF of 100 KB by link", &link, None);
    vec![
        (health.clone(), Some("/small")),
        (named(health, "GET /health, HTTP/2").over_http2(), Some("/small")),
        (document.clone(), Some("/file")),
        (
            named(document, "PDF of 100 KB by link, HTTP/2").over_http2(),
            Some("/file"),
        ),
        (Case::get("GET /fax/{id}", &fax, Some(&key)), None),
        (Case::get("GET /fax", "/fax", Some(&key)), None),
        (text, None),
        (Case::fax("POST /fax, PDF of 100 KB", &key, pdf), None),
    ]
}

/// The servers side by side.
struct Race<'a> {
    data: &'a Path,
    certificate: &'a Path,
    service: &'a Process,
    nginx: Option<&'a Process>,
}

impl Race<'_> {
    async fn requests(&self, case: &Case, at_nginx: Option<&str>) {
        let to = |server: &Process| Target::new(server.address, self.certificate, case.http2);
        let edge = to(self.service);
        let bare = servers::bare(self.data, &edge.sample(case).await).await;
        let bare_target = to(&bare);
        let nginx = self.nginx.zip(at_nginx).map(|(nginx, path)| {
            let path = path.to_owned();
            (to(nginx), Case { path, ..case.clone() })
        });
        let (mut best_bare, mut best_nginx, mut best_edge) = (0.0_f64, 0.0_f64, 0.0_f64);
        for _ in 0..ROUNDS {
            best_bare = best_bare.max(bare_target.load(case).await);
            if let Some((target, case)) = &nginx {
                best_nginx = best_nginx.max(target.load(case).await);
            }
            best_edge = best_edge.max(edge.load(case).await);
        }
        line(case.name, best_bare, best_nginx, best_edge);
    }

    async fn handshakes(&self) {
        let bare = servers::bare(self.data, &HEALTH.into()).await;
        let servers = [Some(&bare), self.nginx, Some(self.service)];
        let mut best = [0.0_f64; 3];
        for _ in 0..ROUNDS {
            for (best, server) in best.iter_mut().zip(servers) {
                if let Some(server) = server {
                    let target = Target::new(server.address, self.certificate, false);
                    *best = best.max(target.handshakes().await);
                }
            }
        }
        let [bare, nginx, edge] = best;
        line("full handshakes", bare, nginx, edge);
    }

    /// What connections cost that say nothing.
    async fn idle(&self, edge: &Target) {
        let before = self.service.resident();
        let after = edge.idle(IDLE, || self.service.resident()).await;
        println!(
            "{IDLE} idle TLS connections: {} MiB more than {} MiB",
            (after - before) / 1024,
            before / 1024
        );
    }
}

fn named(case: Case, name: &'static str) -> Case {
    Case { name, ..case }
}

fn line(name: &str, bare: f64, nginx: f64, edge: f64) {
    let (to_nginx, nginx) = if nginx > 0.0 {
        (format!("{:.2}", edge / nginx), format!("{nginx:.0}"))
    } else {
        ("-".to_owned(), "-".to_owned())
    };
    println!(
        "{name:<32} {bare:>9.0} {nginx:>9} {edge:>9.0} {:>8.2} {to_nginx:>8}",
        edge / bare
    );
}

/// A key of the database, as applications have one.
async fn new_key(base: &str) -> String {
    let answer = reqwest::Client::new()
        .post(format!("{base}/admin/api-keys"))
        .header("x-api-key", ROOT_KEY)
        .json(&json!({"name": "bench", "scopes": ["*"]}))
        .send()
        .await
        .unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer["token"].as_str().unwrap().to_owned()
}

/// Path and query of a link to a fax that was received with this document.
async fn link_to_received(base: &str, pdf: &[u8]) -> String {
    let http = reqwest::Client::new();
    let status = Delivery::of(1, pdf, servers::SECRET).send(&http, base).await;
    assert_eq!(status, 200);
    let ask = |request: reqwest::RequestBuilder| async {
        let answer = request.header("x-api-key", ROOT_KEY).send().await.unwrap();
        answer.json::<Value>().await.unwrap()
    };
    let list = ask(http.get(format!("{base}/inbound"))).await;
    let id = list["items"][0]["id"].as_str().unwrap();
    let link = ask(http.post(format!("{base}/inbound/{id}/link"))).await;
    let url = url::Url::parse(link["url"].as_str().unwrap()).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap())
}
