//! A client of the HTTP API that keeps what it was answered.

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::wait;

/// One user of the service.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

/// A fax to send.
#[derive(Debug, Clone, Default)]
pub struct Fax {
    /// The number as a person writes it.
    pub to: String,
    /// The document's file name.
    pub file_name: String,
    /// The document's media type.
    pub media_type: String,
    /// The document.
    pub document: Vec<u8>,
    /// Further form fields.
    pub fields: Vec<(String, String)>,
    /// The `Idempotency-Key` header.
    pub idempotency_key: Option<String>,
}

impl Client {
    /// A client of the service at `base` with an API key or none.
    pub fn new(http: reqwest::Client, base: &str, key: Option<&str>) -> Self {
        Self {
            http,
            base: base.to_owned(),
            key: key.map(str::to_owned),
        }
    }

    /// The same with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self::new(self.http.clone(), &self.base, Some(key))
    }

    /// The same without one.
    pub fn without_key(&self) -> Self {
        Self::new(self.http.clone(), &self.base, None)
    }

    /// The HTTP client below.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The address of a path; a complete address stays.
    pub fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        }
    }

    /// A request to be completed and given to [`Client::ask`].
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, self.url(path));
        match &self.key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        }
    }

    /// Sends a request and reads the whole answer, or the error of the connection.
    pub async fn try_ask(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let answer = request.send().await?;
        Ok(Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            body: answer.bytes().await?.to_vec(),
        })
    }

    /// Sends a request that is answered, whatever the answer.
    pub async fn ask(&self, request: reqwest::RequestBuilder) -> Answer {
        self.try_ask(request).await.expect("an answer")
    }

    /// Asks with GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(self.request(Method::GET, path)).await
    }

    /// Posts JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(self.request(Method::POST, path).json(body)).await
    }

    /// Asks with DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(self.request(Method::DELETE, path)).await
    }

    /// Sends a fax, whatever the answer.
    pub async fn send(&self, fax: &Fax) -> Answer {
        self.try_send(fax).await.expect("an answer")
    }

    /// Sends a fax; an error when the connection breaks.
    pub async fn try_send(&self, fax: &Fax) -> Result<Answer, reqwest::Error> {
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
    pub async fn accepted(&self, fax: &Fax) -> String {
        let answer = self.send(fax).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let job = answer.json();
        job["id"].as_str().expect("id").to_owned()
    }

    /// What the service says of a fax.
    pub async fn job(&self, id: &str) -> Value {
        let answer = self.get(&format!("/fax/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The words of a job's timeline.
    pub async fn timeline(&self, id: &str) -> Vec<String> {
        let items = self.events(id).await;
        items
            .iter()
            .map(|item| item["event"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// The timeline of a fax.
    pub async fn events(&self, id: &str) -> Vec<Value> {
        let answer = self.get(&format!("/fax/{id}/events")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["items"].as_array().expect("items").clone()
    }

    /// Waits for a state; answers the job.
    pub async fn reaches(&self, id: &str, status: &str) -> Value {
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
    pub async fn ends(&self, id: &str) -> Value {
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
    pub async fn make_key(&self, owner: &str, scopes: &[&str]) -> String {
        let order = serde_json::json!({ "name": owner, "owner": owner, "scopes": scopes });
        let answer = self.post("/admin/api-keys", &order).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["token"].as_str().expect("token").to_owned()
    }
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A header field, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Checks that this is a problem with this status, in the shape that clients rely on; answers its `detail`.
    pub fn problem(&self, status: u16) -> String {
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
    /// A PDF to a number.
    pub fn pdf(to: &str, document: Vec<u8>) -> Self {
        Self {
            to: to.to_owned(),
            file_name: "letter.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            document,
            ..Self::default()
        }
    }

    /// A text to a number.
    pub fn text(to: &str, text: &str) -> Self {
        Self {
            file_name: "letter.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            ..Self::pdf(to, text.as_bytes().to_vec())
        }
    }

    /// With an idempotency key.
    pub fn idempotent(mut self, key: &str) -> Self {
        self.idempotency_key = Some(key.to_owned());
        self
    }

    /// With a further form field.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }
}
