//! Callbacks: what they say, how they are signed, and the vendor's schedule of retries.
//!
//! A message is built once; every further attempt sends the same bytes with the same signature, as the vendor does.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use sha2::{Digest, Sha256};

use super::fetch::told;
use super::record::{Attempt, Fax};
use super::world::World;
use super::{Scheme, WebhookVersion, render, sign};

/// Provider seconds from one attempt to the next: 5, 10, 20, 30 minutes, then twelve times 6 hours.
const RETRIES: [u64; 16] = [
    300, 600, 1200, 1800, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600, 21_600,
    21_600, 21_600,
];

/// The provider time it waits for an answer, and the least of ours.
const PATIENCE: Duration = Duration::from_secs(60);
const LEAST_PATIENCE: Duration = Duration::from_secs(10);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// A sent fax reached its end.
    Ended,
    /// A page is being sent.
    Page(u32),
    /// The call failed and will be repeated.
    Retry,
    /// The fax shows a word nobody knows.
    UnknownWord,
    /// A fax arrived.
    Received,
}

/// How one message is to look.
#[derive(Debug, Clone)]
pub(super) struct Style {
    pub(super) url: String,
    pub(super) version: WebhookVersion,
    pub(super) scheme: Scheme,
    /// Whether a received fax brings its document.
    pub(super) with_file: bool,
    /// In place of the name that belongs to the news.
    pub(super) event_type: Option<String>,
}

/// A message as it leaves.
#[derive(Debug, Clone)]
pub(super) struct Message {
    style: Style,
    event: String,
    content_type: String,
    signature: Option<String>,
    body: Bytes,
}

/// What came of one attempt.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) status: Option<u16>,
    pub(super) problem: Option<String>,
}

/// Tells the news about a sent fax as its plan wants it. Returns after the first attempt; retries go on by
/// themselves.
pub(super) async fn tell(world: &Arc<World>, id: u64, news: News) {
    let Some(fax) = world.fax(id) else { return };
    let plan = fax.plan.callbacks.clone();
    let Some(style) = style(world, &fax).filter(|_| !plan.never) else {
        return;
    };
    let in_flight = matches!(news, News::Page(_) | News::Retry);
    if in_flight {
        let wanted = (world.config.inflight || plan.inflight) && style.version == WebhookVersion::V2_1;
        if wanted && !plan.reordered {
            send(world, id, message(world, &fax, news, style)).await;
        }
        return;
    }
    let last = message(world, &fax, news, style.clone());
    let received = send(world, id, last.clone()).await;
    if news != News::Ended || !received {
        return;
    }
    if plan.twice {
        send(world, id, last).await;
    }
    if plan.reordered && style.version == WebhookVersion::V2_1 {
        let mut before = fax;
        before.status = "inprogress".to_owned();
        before.completed_at = None;
        send(world, id, message(world, &before, News::Page(1), style)).await;
    }
}

/// Sends a message; when the first attempt fails, the retries are left to a task. Whether the first was received.
pub(super) async fn send(world: &Arc<World>, id: u64, message: Message) -> bool {
    let mut began = world.pace.now();
    if attempt(world, id, &message, 1).await.is_received() {
        return true;
    }
    let world_ = Arc::clone(world);
    world.spawn(async move {
        for (number, wait) in (2_u32..).zip(RETRIES) {
            // Counted from the beginning of the attempt, so that whoever saw it can move the clock at once.
            let until = began.saturating_add(Duration::from_secs(wait));
            world_.pace.sleep_until(until).await;
            began = world_.pace.now();
            let gone = world_.fax(id).is_none();
            if gone || attempt(&world_, id, &message, number).await.is_received() {
                return;
            }
        }
    });
    false
}

/// How callbacks about a sent fax look; none when nobody is to be told over HTTP.
pub(super) fn style(world: &World, fax: &Fax) -> Option<Style> {
    let url = fax
        .callback_url
        .clone()
        .or_else(|| world.config.callback_url.clone())?;
    if url.starts_with("mailto:") {
        return None;
    }
    let plan = &fax.plan.callbacks;
    Some(Style {
        url,
        version: plan
            .version
            .or_else(|| fax.tag("sim_version")?.parse().ok())
            .unwrap_or(world.config.webhook_version),
        scheme: plan
            .scheme
            .or_else(|| fax.tag("sim_scheme")?.parse().ok())
            .unwrap_or(world.config.signature),
        with_file: false,
        event_type: None,
    })
}

/// Builds and signs a message.
pub(super) fn message(world: &World, fax: &Fax, news: News, style: Style) -> Message {
    let event = style
        .event_type
        .clone()
        .unwrap_or_else(|| event_type(news).to_owned());
    let fields = fields(fax, news, &style, &event);
    let file = fax.content.as_ref().filter(|_| style.with_file);
    let part = match style.version {
        WebhookVersion::V1 => "filename",
        _ => "file",
    };
    let files: Vec<(&str, &[u8])> = file.iter().map(|content| (part, content.as_ref())).collect();
    let (content_type, body) = multipart(fax.id, &fields, &files);
    let token = world.config.callback_token.as_deref();
    let signature = match style.scheme {
        Scheme::Sha1 => token.map(|token| sign::phaxio(token, &style.url, &fields, &files)),
        Scheme::Wrong => Some(sign::phaxio("another token", &style.url, &fields, &files)),
        Scheme::Sha256 => Some(sign::faxbot(&world.book().secret, &body)),
        Scheme::None => None,
    };
    Message {
        style,
        event,
        content_type,
        signature,
        body,
    }
}

/// Makes one attempt and notes it.
pub(super) async fn attempt(world: &Arc<World>, id: u64, message: &Message, number: u32) -> Outcome {
    let patience = world.pace.real(PATIENCE).clamp(LEAST_PATIENCE, PATIENCE);
    // Basic credentials in the address become a header: the client does that.
    let mut request = world
        .http
        .for_attempt(&message.style.url, number)
        .post(&message.style.url)
        .header(CONTENT_TYPE, &message.content_type)
        .body(message.body.clone())
        .timeout(patience);
    if let Some(signature) = &message.signature {
        request = request.header("X-Phaxio-Signature", signature);
    }
    let outcome = match request.send().await {
        Ok(response) => Outcome {
            status: Some(response.status().as_u16()),
            problem: None,
        },
        Err(error) => Outcome {
            status: None,
            problem: Some(told(&error.without_url())),
        },
    };
    let at = world.now();
    world.change(id, |fax| {
        fax.callbacks.push(Attempt {
            at,
            url: message.style.url.clone(),
            event: message.event.clone(),
            version: message.style.version.as_str().to_owned(),
            attempt: number,
            status: outcome.status,
            problem: outcome.problem.clone(),
        });
    });
    outcome
}

impl Outcome {
    pub(super) fn is_received(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

fn event_type(news: News) -> &'static str {
    match news {
        News::Ended | News::UnknownWord => "fax_completed",
        News::Page(_) => "transmitting_page",
        News::Retry => "retry_scheduled",
        News::Received => "fax_received",
    }
}

fn fields(fax: &Fax, news: News, style: &Style, event: &str) -> Vec<(String, String)> {
    let object = render::for_callback(fax, style.version);
    let mut fields = Vec::new();
    let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
    match style.version {
        WebhookVersion::Flat => {
            for (name, value) in object.as_object().into_iter().flatten() {
                match value {
                    serde_json::Value::String(text) => add(&format!("fax[{name}]"), text.clone()),
                    serde_json::Value::Number(_) | serde_json::Value::Bool(_) => {
                        add(&format!("fax[{name}]"), value.to_string());
                    }
                    _ => {}
                }
            }
            return fields;
        }
        WebhookVersion::V1 | WebhookVersion::V2 => {
            add("fax", object.to_string());
            add("success", (fax.status != "failure").to_string());
            add("is_test", fax.is_test.to_string());
            add("direction", fax.direction.as_str().to_owned());
            if let Some(error) = &fax.error {
                add("message", error.message.clone());
            }
            return fields;
        }
        WebhookVersion::V2_1 => {
            add("fax", object.to_string());
            add("event_type", event.to_owned());
        }
    }
    let recipient = fax.recipients.first();
    if let (News::Page(_) | News::Retry, Some(recipient)) = (news, recipient) {
        add("recipient_phone_number", recipient.number.clone());
    }
    match (news, recipient) {
        (News::Page(page), _) => add("page", page.to_string()),
        (News::Retry, Some(recipient)) => add("retry_count", recipient.retry_count.to_string()),
        _ => {}
    }
    fields
}

/// `multipart/form-data` (RFC 7578), also when there is no file.
fn multipart(id: u64, fields: &[(String, String)], files: &[(&str, &[u8])]) -> (String, Bytes) {
    let mut digest = Sha256::new();
    for (name, value) in fields {
        digest.update(name);
        digest.update(value);
    }
    let digest = hex::encode(digest.finalize());
    let boundary = format!("----simulator{}", digest.get(..32).unwrap_or(&digest));
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend_from_slice(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                .as_bytes(),
        );
    }
    for (name, content) in files {
        body.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"fax-{id}.pdf\"\r\n\
                 Content-Type: application/pdf\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (
        format!("multipart/form-data; boundary={boundary}"),
        Bytes::from(body),
    )
}
