//! The simulator over real sockets, with a site that serves documents and takes callbacks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::form::Form;
use super::*;

mod api;
mod callbacks;
mod inbound;
mod scripts;

const JOB: &str = "01jdz00000000000000000000a";

/// A callback as it came.
struct Hit {
    from: IpAddr,
    path: String,
    headers: HeaderMap,
    form: Form,
    body: Bytes,
}

/// Serves `/doc.pdf`, 404 for `/missing`, and takes callbacks everywhere else.
struct Site {
    base: String,
    hits: mpsc::UnboundedReceiver<Hit>,
    /// Statuses of the next callbacks; 200 when empty.
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Site {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (sender, hits) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let statuses = Arc::clone(&answers);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = listener.accept().await.unwrap();
                let (sender, statuses) = (sender.clone(), Arc::clone(&statuses));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (sender, statuses) = (sender.clone(), Arc::clone(&statuses));
                    async move { Ok::<_, Infallible>(serve_site(request, peer.ip(), &sender, &statuses).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { base, hits, answers }
    }

    async fn next(&mut self) -> Hit {
        self.hits.recv().await.unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

async fn serve_site(
    request: Request<Incoming>,
    from: IpAddr,
    sender: &mpsc::UnboundedSender<Hit>,
    statuses: &Mutex<VecDeque<u16>>,
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let respond = |status: u16, body: Vec<u8>| {
        Response::builder()
            .status(status)
            .body(Full::new(Bytes::from(body)))
            .unwrap()
    };
    match parts.uri.path() {
        "/doc.pdf" => return respond(200, pdf::blank(2)),
        "/page.html" => return respond(200, b"<html>".to_vec()),
        "/missing" => return respond(404, Vec::new()),
        _ => {}
    }
    let body = body.collect().await.unwrap().to_bytes();
    let kind = parts.headers["content-type"].to_str().unwrap();
    let form = Form::read(kind, body.clone()).await.unwrap();
    let status = statuses.lock().pop_front().unwrap_or(200);
    let path = parts.uri.path_and_query().unwrap().to_string();
    let _ = sender.send(Hit {
        from,
        path,
        headers: parts.headers,
        form,
        body,
    });
    respond(status, Vec::new())
}

struct Room {
    simulator: RunningSimulator,
    site: Site,
    http: reqwest::Client,
}

impl Room {
    async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let mut config = SimulatorConfig {
            time_scale: 1000.0,
            ..SimulatorConfig::default()
        };
        change(&mut config);
        Self {
            simulator: Simulator::start(config).await.unwrap(),
            site: Site::start().await,
            http: reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only([])
                .build()
                .unwrap(),
        }
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn call(&self, method: Method, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let mut request = self
            .http
            .request(method.clone(), self.simulator.url(path))
            .basic_auth("simulated-key", Some("simulated-secret"));
        if method == Method::POST {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }

    async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, &[]).await.1
    }

    async fn control(&self, path: &str, body: Value) -> Value {
        let response = self
            .http
            .post(self.simulator.url(path))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert!(response.status().is_success(), "{path} {}", response.status());
        response.json().await.unwrap()
    }

    /// One look inside.
    async fn inside(&self, id: u64) -> Value {
        self.get(&format!("/simulator/faxes/{id}")).await
    }

    /// Looks at a fax until it is finished.
    async fn finished(&self, id: u64) -> Value {
        loop {
            let fax = self.inside(id).await;
            if matches!(
                fax["status"].as_str(),
                Some("success" | "failure" | "partialsuccess")
            ) {
                return fax;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn send(&self, to: &str) -> u64 {
        self.send_with(to, &[]).await
    }

    async fn send_with(&self, to: &str, more: &[(&str, &str)]) -> u64 {
        let (content, callback) = (self.site.url("/doc.pdf"), self.site.url("/callback?job_id=1"));
        let mut form = vec![
            ("to", to),
            ("content_url", content.as_str()),
            ("callback_url", callback.as_str()),
            ("tag[faxgate_job]", JOB),
        ];
        form.extend_from_slice(more);
        let (status, answer) = self.call(Method::POST, "/v2.1/faxes", &form).await;
        assert_eq!(status, 200, "{answer}");
        answer["data"]["id"].as_u64().unwrap()
    }
}

/// Checks the vendor's signature of a callback.
fn assert_signed(hit: &Hit, site: &Site) {
    assert_eq!(
        hit.headers["x-phaxio-signature"].to_str().unwrap(),
        expected(hit, site)
    );
}

fn fax_of(hit: &Hit) -> Value {
    serde_json::from_str(hit.form.get("fax").unwrap()).unwrap()
}

fn expected(hit: &Hit, site: &Site) -> String {
    let files: Vec<(&str, &[u8])> = hit
        .form
        .files
        .iter()
        .map(|file| (file.part.as_str(), file.content.as_ref()))
        .collect();
    sign::phaxio(
        "simulated-callback-token",
        &site.url(&hit.path),
        &hit.form.fields,
        &files,
    )
}

#[tokio::test]
async fn a_fax_goes_its_way() {
    let mut room = Room::new().await;
    let id = room.send("+12125550142").await;
    let hit = room.site.next().await;
    assert_eq!(hit.path, "/callback?job_id=1");
    assert_eq!(hit.form.get("event_type"), Some("fax_completed"));
    assert_signed(&hit, &room.site);
    let fax = fax_of(&hit);
    assert_eq!(
        (
            fax["id"].as_u64(),
            fax["status"].as_str(),
            fax["num_pages"].as_u64()
        ),
        (Some(id), Some("success"), Some(2))
    );
    assert_eq!(fax["tags"]["faxgate_job"], JOB);

    let shown = room.get(&format!("/v2.1/faxes/{id}")).await;
    assert_eq!(shown["data"]["recipients"][0]["status"], "success");
    let listed = room.get(&format!("/v2.1/faxes?tag[faxgate_job]={JOB}")).await;
    assert_eq!(listed["data"][0]["id"].as_u64(), Some(id));
    assert_eq!(listed["paging"], json!({"total": 1, "per_page": 25, "page": 1}));
    assert_eq!(
        room.get("/v2.1/faxes?tag[faxgate_job]=other").await["data"],
        json!([])
    );
    // Only an upper bound, below the default lower one.
    let past = room.get("/v2.1/faxes?created_before=2017-01-01T00:00:00Z").await;
    assert_eq!((&past["data"], &past["paging"]["total"]), (&json!([]), &json!(0)));

    let inside = room.get(&format!("/simulator/faxes/{id}")).await;
    assert_eq!(inside["fetches"][0]["outcome"], "ok");
    let content = room
        .http
        .get(room.simulator.url(&format!("/simulator/faxes/{id}/content")))
        .send()
        .await
        .unwrap();
    assert_eq!(content.bytes().await.unwrap(), pdf::blank(2));
    let counts = room.get("/simulator/requests").await;
    assert_eq!(
        counts["by_job"][JOB],
        json!({"requests": 1, "accepted": 1, "faxes": [id]})
    );
    room.simulator.shutdown().await;
}

#[tokio::test]
async fn a_stuck_fax_can_be_cancelled_and_a_finished_one_not() {
    let mut room = Room::new().await;
    let id = room.send("+12125559936").await;
    let cancel = format!("/v2.1/faxes/{id}/cancel");
    let (status, answer) = room.call(Method::POST, &cancel, &[]).await;
    assert_eq!(
        (status, answer["message"].as_str()),
        (200, Some("Fax cancellation scheduled successfully."))
    );
    let fax = fax_of(&room.site.next().await);
    assert_eq!(
        (fax["status"].as_str(), fax["error_id"].as_u64()),
        (Some("failure"), Some(75))
    );
    let (status, answer) = room.call(Method::POST, &cancel, &[]).await;
    assert_eq!((status, &answer["success"]), (422, &json!(false)));
    assert_eq!(room.call(Method::POST, "/v2.1/faxes/1/cancel", &[]).await.0, 404);
}
