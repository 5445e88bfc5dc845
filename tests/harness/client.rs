//! A client of the HTTP API that keeps what it was answered.

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use super::wait;

/// One user of the service.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A fax to send.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fax {
    pub(crate) to: String,
    pub(crate) file_name: String,
    pub(crate) media_type: String,
    pub(crate) document: Vec<u8>,
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) idempotency_key: Option<String>,
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, base: &str, key: Option<&str>) -> Self {
        Self {
            http,
            base: base.to_owned(),
            key: key.map(str::to_owned),
        }
    }

    /// The same with another key.
    pub(crate) fn with_key(&self, key: &str) -> Self {
        Self::new(self.http.clone(), &self.base, Some(key))
    }

    /// The same without one.
    pub(crate) fn without_key(&self) -> Self {
        Self::new(self.http.clone(), &self.base, None)
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        }
    }

    /// A request to be completed and given to [`Client::ask`].
    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, self.url(path));
        match &self.key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        }
    }

    pub(crate) async fn try_ask(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let answer = request.send().await?;
        Ok(Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.bytes().await?.to_vec(),
        })
    }

    pub(crate) async fn ask(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_ask(request).await.expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(self.request(Method::DELETE, path)).await
    }

    /// Sends a fax, whatever the answer.
    pub(crate) async fn send(&self, fax: &Fax) -> Answer {
        self.try_send(fax).await.expect("an answer")
    }

    pub(crate) async fn try_send(&self, fax: &Fax) -> Result<Answer, reqwest::Error> {
        let part = reqwest::multipart::Part::bytes(fax.document.clone())
            .file_name(fax.file_name.clone())
            .mime_str(&fax.media_type)
            .expect("media type");
        let mut form = reqwest::multipart::Form::new().text("to", fax.to.clone());
        for (name, value) in &fax.fields {
            form = form.text(name.clone(), value.clone());
        }
        let mut request = self
            .request(Method::POST, "/fax")
            .multipart(form.part("file", part));
        if let Some(key) = &fax.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        self.try_ask(request).await
    }

    /// Sends a fax that is accepted; answers its id.
    pub(crate) async fn accepted(&self, fax: &Fax) -> String {
        let answer = self.send(fax).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let job = answer.json();
        job["id"].as_str().expect("id").to_owned()
    }

    pub(crate) async fn job(&self, id: &str) -> Value {
        let answer = self.get(&format!("/fax/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The words of a job's timeline.
    pub(crate) async fn timeline(&self, id: &str) -> Vec<String> {
        let items = self.events(id).await;
        items
            .iter()
            .map(|item| item["event"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    pub(crate) async fn events(&self, id: &str) -> Vec<Value> {
        let answer = self.get(&format!("/fax/{id}/events")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["items"].as_array().expect("items").clone()
    }

    /// Waits for a state; answers the job.
    pub(crate) async fn reaches(&self, id: &str, status: &str) -> Value {
        let limit = std::time::Duration::from_secs(60);
        let what = format!("{id} to be {status}");
        let look = || async move {
            let job = self.job(id).await;
            let found = job["status"].as_str().unwrap_or_default().to_owned();
            let ended = ["SUCCESS", "FAILED", "disabled"].contains(&found.as_str());
            assert!(
                !ended || found == status,
                "ended otherwise: {job:#} {:#?}",
                self.events(id).await
            );
            (found == status).then_some(job)
        };
        wait::until_or(&what, limit, look, || async move {
            format!("{:#} {:#?}", self.job(id).await, self.events(id).await)
        })
        .await
    }

    /// Waits for whatever end; answers the job.
    pub(crate) async fn ends(&self, id: &str) -> Value {
        let limit = std::time::Duration::from_secs(120);
        let look = || async move {
            let job = self.job(id).await;
            ["SUCCESS", "FAILED"]
                .contains(&job["status"].as_str()?)
                .then_some(job)
        };
        wait::until_or(&format!("{id} to end"), limit, look, || async move {
            format!("{:#} {:#?}", self.job(id).await, self.events(id).await)
        })
        .await
    }

    /// Makes a key; answers its token.
    pub(crate) async fn make_key(&self, owner: &str, scopes: &[&str]) -> String {
        let order = serde_json::json!({ "name": owner, "owner": owner, "scopes": scopes });
        let answer = self.post("/admin/api-keys", &order).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["token"].as_str().expect("token").to_owned()
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Checks that this is a problem with this status, in the shape that clients rely on; answers its `detail`.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["status"], status);
        assert!(body["type"].is_string() && body["title"].is_string(), "{body}");
        assert!(!self.header("x-request-id").is_empty());
        let detail = body["detail"].as_str().expect("a sentence");
        assert!(!detail.is_empty());
        detail.to_owned()
    }
}

impl Fax {
    pub(crate) fn pdf(to: &str, document: Vec<u8>) -> Self {
        Self {
            to: to.to_owned(),
            file_name: "letter.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            document,
            ..Self::default()
        }
    }

    pub(crate) fn text(to: &str, text: &str) -> Self {
        Self {
            file_name: "letter.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            ..Self::pdf(to, text.as_bytes().to_vec())
        }
    }

    pub(crate) fn idempotent(mut self, key: &str) -> Self {
        self.idempotency_key = Some(key.to_owned());
        self
    }

    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}
