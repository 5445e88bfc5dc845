//! The provider: the simulator in this process and its control requests.

use faxgate_simulator::{RunningSimulator, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use crate::wait;

/// A running simulator.
pub struct Provider {
    running: RunningSimulator,
    http: reqwest::Client,
}

impl Provider {
    /// Starts it on a free port.
    pub async fn start(config: SimulatorConfig) -> Self {
        Self {
            running: Simulator::start(config).await.expect("simulator"),
            http: reqwest::Client::new(),
        }
    }

    /// The address of its API for `phaxio.api_url`.
    pub fn api_url(&self) -> String {
        self.running.api_url()
    }

    /// Where it listens.
    pub fn addr(&self) -> std::net::SocketAddr {
        self.running.addr
    }

    /// How it treats requests to send to `to` (or all): see `simulator/script.rs`.
    pub async fn script(&self, rule: Value) {
        self.post("/simulator/script", rule).await;
    }

    /// Every fax it knows.
    pub async fn faxes(&self) -> Vec<Value> {
        items(self.get("/simulator/faxes").await)
    }

    /// The faxes that it has for a job of ours: more than one is a fax sent twice.
    pub async fn faxes_of(&self, job: &str) -> Vec<Value> {
        items(self.get(&format!("/simulator/faxes?job={job}")).await)
    }

    /// The only fax it has for a job, once it has one.
    pub async fn fax_of(&self, job: &str) -> Value {
        wait::until("the provider to have the fax", || async {
            let mut faxes = self.faxes_of(job).await;
            assert!(faxes.len() < 2, "sent more than once: {faxes:?}");
            faxes.pop()
        })
        .await
    }

    /// What it was asked, counted.
    pub async fn requests(&self) -> Value {
        self.get("/simulator/requests").await
    }

    /// Another callback about a fax; answers how it was received.
    pub async fn call_back(&self, order: Value) -> Value {
        self.post("/simulator/callback", order).await
    }

    /// A fax arrives.
    pub async fn receive(&self, fax: Value) -> Value {
        self.post("/simulator/inbound", fax).await
    }

    /// Moves its clock.
    pub async fn advance(&self, seconds: u64) {
        self.post("/simulator/clock", json!({ "advance_seconds": seconds }))
            .await;
    }

    /// Changes the credentials that it accepts.
    pub async fn credentials(&self, order: Value) {
        self.post("/simulator/credentials", order).await;
    }

    /// Asks it with GET.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self
            .http
            .get(self.running.url(path))
            .send()
            .await
            .expect("simulator");
        read(path, answer).await
    }

    /// What it fetched of a fax; waits until it has.
    pub async fn content(&self, id: &str) -> Vec<u8> {
        let url = self.running.url(&format!("/simulator/faxes/{id}/content"));
        wait::until("the provider to fetch the document", || async {
            let answer = self.http.get(&url).send().await.expect("simulator");
            if !answer.status().is_success() {
                return None;
            }
            Some(answer.bytes().await.expect("content").to_vec())
        })
        .await
    }

    /// Posts JSON to it.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self
            .http
            .post(self.running.url(path))
            .json(&body)
            .send()
            .await
            .expect("simulator");
        read(path, answer).await
    }
}

async fn read(path: &str, answer: reqwest::Response) -> Value {
    let status = answer.status();
    let text = answer.text().await.expect("simulator");
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn items(answer: Value) -> Vec<Value> {
    match answer {
        Value::Array(items) => items,
        Value::Object(mut object) => {
            let list = object.remove("faxes").or_else(|| object.remove("items"));
            list.and_then(|list| list.as_array().cloned()).expect("a list")
        }
        other => panic!("no list: {other}"),
    }
}
