//! The vendor's API, versions 2 and 2.1.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::form::Form;
use super::front::{self, Api};
use super::inbound::{self, Arrival};
use super::pace::seconds;
use super::record::{Direction, Fax, Recipient};
use super::render::{self, ApiVersion};
use super::script::{CreateAct, Fate, Plan, Script, Strange};
use super::validate::{self, Testing, Wanted};
use super::world::World;
use super::{answer, life};
use faxgate_base::clock::before;

type Fields = Extension<Arc<Form>>;

/// What a list looks back when nothing else is asked.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// Beyond this the total of a list is told as a text.
const COUNTABLE: usize = 10_000;

/// How long an answer waits for a callback that is to come first, in real time.
const BEFORE_ANSWER: Duration = Duration::from_secs(30);

/// The number test receptions come from and go to unless told otherwise.
const VENDOR_NUMBER: &str = "+18773346654";

/// A picture of one grey pixel, in place of a thumbnail.
const THUMBNAIL: &[u8] = include_bytes!("thumbnail.jpg");

/// The routes of one version.
pub(super) fn router(world: Arc<World>, version: ApiVersion) -> Router {
    let api = Api { world, version };
    Router::new()
        .route("/faxes", get(list).post(create))
        .route("/faxes/{id}", get(show).delete(delete_fax))
        .route("/faxes/{id}/cancel", post(cancel))
        .route("/faxes/{id}/resend", post(resend))
        .route("/faxes/{id}/file", get(file).delete(delete_file))
        .route("/account/status", get(account))
        .route("/public/countries", get(countries))
        .fallback(|| async { answer::fail(404, "Not found failure.") })
        .layer(middleware::from_fn_with_state(api.clone(), front::pass))
        .with_state(api)
}

async fn create(State(api): State<Api>, Extension(form): Fields) -> Response {
    let world = &api.world;
    if form.get("direction") == Some("received") {
        return test_receive(world, &form);
    }
    let job = form.get("tag[faxgate_job]").unwrap_or_default().to_owned();
    world.edit().count_create(&job);
    let wanted = match validate::wanted(&form, Testing::of(&world.config)) {
        Ok(wanted) => wanted,
        Err(problem) => return answer::fail(422, &problem),
    };
    let plan = plan(world, &wanted, &job);
    if plan.takes() && plan.doubled {
        let twin = accept(world, wanted.clone(), plan.clone(), &job);
        world.spawn(life::lead(Arc::clone(world), twin));
    }
    let id = plan.takes().then(|| accept(world, wanted, plan.clone(), &job));
    if let Some(id) = id {
        let life = world.spawn(life::lead(Arc::clone(world), id));
        if plan.callbacks.before_answer {
            let _ = tokio::time::timeout(BEFORE_ANSWER, life).await;
        }
    }
    answered(&plan.create, id.unwrap_or_default()).await
}

/// How the request is dealt with: as its tag says, else a rule or the number.
fn plan(world: &World, wanted: &Wanted, job: &str) -> Plan {
    let by_tag = wanted
        .tags
        .iter()
        .find(|(name, _)| name == "sim")
        .and_then(|(_, words)| {
            let words: Vec<&str> = words.split(',').map(str::trim).collect();
            Plan::of(&words, &Script::default()).ok()
        });
    let to = wanted.to.first().map(String::as_str).unwrap_or_default();
    let mut plan = world.edit().plan(by_tag, to, job);
    if let Some(failure) = &wanted.test_fail {
        plan.fate = Fate::Fail {
            failure: failure.clone(),
            recipient_only: true,
        };
    }
    plan
}

fn accept(world: &World, wanted: Wanted, plan: Plan, job: &str) -> u64 {
    let now = world.now();
    let mut book = world.edit();
    let id = book.take_id();
    let mut fax = Fax::new(id, Direction::Sent, now, world.config.test_account);
    fax.recipients = wanted.to.iter().map(|to| Recipient::new(to)).collect();
    fax.tags = wanted.tags;
    fax.header_text = wanted.header_text;
    fax.caller_id = wanted.caller_id;
    fax.content_urls = wanted.content_urls;
    fax.callback_url = wanted.callback_url;
    fax.batch_delay = wanted.batch_delay;
    fax.cancel_timeout = wanted.cancel_timeout;
    fax.taken_at = world.pace.now();
    fax.batch_until = fax
        .batch_delay
        .and_then(|delay| book.batch(&fax.recipients, fax.taken_at, delay));
    fax.listed_from = fax.taken_at.saturating_add(seconds(plan.list_lag));
    fax.plan = plan;
    book.faxes.insert(id, fax);
    if let Some(upload) = wanted.files.into_iter().next() {
        book.keep_content(id, upload);
    }
    book.counts
        .by_job
        .entry(job.to_owned())
        .or_default()
        .faxes
        .push(id);
    id
}

async fn answered(act: &CreateAct, id: u64) -> Response {
    let queued = || answer::ok("Fax queued for sending", Some(json!({ "id": id })));
    match act {
        CreateAct::Answer => queued(),
        CreateAct::Slow { seconds: wait } => {
            tokio::time::sleep(seconds(*wait)).await;
            queued()
        }
        CreateAct::Drop { .. } => answer::dropped(),
        CreateAct::Status {
            status,
            body,
            retry_after,
            ..
        } => answer::scripted(*status, *body, *retry_after),
        CreateAct::Strange(Strange::Html) => answer::page(),
        CreateAct::Strange(Strange::CutOff) => answer::cut_off(),
        CreateAct::Strange(Strange::NoId) => answer::ok("Fax queued for sending", None),
        CreateAct::Strange(Strange::Silence) => match answer::silence().await {},
    }
}

fn test_receive(world: &Arc<World>, form: &Form) -> Response {
    if !world.config.test_account {
        return answer::fail(422, "Only test credentials can receive test faxes.");
    }
    let uploads = form.uploads("file");
    let Some(upload) = uploads.first() else {
        return answer::fail(422, "A test reception needs a file.");
    };
    let number = |name| form.get(name).unwrap_or(VENDOR_NUMBER).to_owned();
    let (from, to) = (number("from_number"), number("to_number"));
    // Two spaces, as recorded.
    let message = format!("Test fax received from {from} to {to}.  Calling back now...");
    inbound::arrive(
        world,
        Arrival {
            to,
            from,
            content: Some(upload.content.clone()),
            version: None,
            scheme: None,
            callback_url: form.get("callback_url").map(str::to_owned),
            with_file: true,
            copies: 1,
        },
    );
    answer::ok(&message, None)
}

async fn list(State(api): State<Api>, Extension(form): Fields) -> Response {
    let world = &api.world;
    world.edit().count("list");
    let asked = form.tags();
    let faulty =
        |fax: &Fax| !asked.is_empty() && asked.iter().all(|(name, value)| fax.tag(name) == Some(value));
    if world.edit().fault(faulty) {
        return answer::fail(500, "Service failure.");
    }
    let now = world.now();
    let (Some(after), Some(before)) = (
        time(&form, "created_after", before(now, WEEK)),
        time(&form, "created_before", now),
    ) else {
        return answer::fail(422, "A date is not valid.");
    };
    let per_page = number(&form, "per_page", 25).clamp(1, 1000);
    let page = number(&form, "page", 1).max(1);
    let tags = form.tags();
    let shown_now = world.pace.now();
    let book = world.book();
    let matching: Vec<&Fax> = book
        .faxes
        .values()
        .rev()
        .filter(|fax| fax.listed_from <= shown_now)
        .filter(|fax| fax.created_at >= after && fax.created_at <= before)
        .filter(|fax| tags.iter().all(|(name, value)| fax.tag(name) == Some(value)))
        .filter(|fax| form.get("direction").is_none_or(|d| d == fax.direction.as_str()))
        .filter(|fax| form.get("status").is_none_or(|s| s == fax.status))
        .filter(|fax| {
            form.get("phone_number")
                .is_none_or(|number| fax.has_number(number))
        })
        .collect();
    let rows: Vec<Value> = matching
        .iter()
        .skip((page - 1).saturating_mul(per_page))
        .take(per_page)
        .map(|fax| render::fax(fax, api.version))
        .collect();
    let total = match matching.len() {
        n if n > COUNTABLE => json!(format!(">{COUNTABLE}")),
        n => json!(n),
    };
    listed(&rows, &total, per_page, page)
}

fn listed(rows: &[Value], total: &Value, per_page: usize, page: usize) -> Response {
    let mut response = answer::envelope_of(
        StatusCode::OK,
        &json!({
            "success": true,
            "message": "Retrieved faxes successfully",
            "data": rows,
            "paging": { "total": total, "per_page": per_page, "page": page },
        }),
    );
    let total = total.as_str().map_or_else(|| total.to_string(), str::to_owned);
    for (name, value) in [
        ("x-total", total),
        ("x-per-page", per_page.to_string()),
        ("x-page", page.to_string()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn show(State(api): State<Api>, Path(id): Path<String>) -> Response {
    api.world.edit().count("get");
    if api.world.edit().fault(|fax| fax.id.to_string() == id) {
        return answer::fail(500, "Service failure.");
    }
    match known(&api.world, &id) {
        Some(fax) => answer::ok("Metadata for fax", Some(render::fax(&fax, api.version))),
        None => answer::unknown(),
    }
}

async fn cancel(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let world = &api.world;
    world.edit().count("cancel");
    let Some(fax) = known(world, &id) else {
        return answer::unknown();
    };
    if fax.is_final() {
        return answer::fail(422, "Can not cancel the fax, it is already complete!");
    }
    world.change(fax.id, |fax| fax.cancel_requested = true);
    world.stirred.send_modify(|count| *count += 1);
    answer::ok(
        "Fax cancellation scheduled successfully.",
        Some(json!({ "id": fax.id })),
    )
}

async fn resend(State(api): State<Api>, Path(id): Path<String>, Extension(form): Fields) -> Response {
    let world = &api.world;
    world.edit().count("resend");
    let Some(old) = known(world, &id) else {
        return answer::unknown();
    };
    if !old.is_final() || old.direction == Direction::Received {
        return answer::fail(422, "Only a fax that was sent and is finished can be resent.");
    }
    let Some(content) = old.content.clone().filter(|_| !old.file_deleted) else {
        return answer::fail(
            422,
            "The file for this fax has been deleted or is not accessible.",
        );
    };
    let wanted = Wanted {
        to: old.recipients.iter().map(|r| r.number.clone()).collect(),
        content_urls: Vec::new(),
        files: vec![content],
        callback_url: form.get("callback_url").map(str::to_owned).or(old.callback_url),
        tags: old.tags.clone(),
        header_text: old.header_text,
        caller_id: old.caller_id,
        batch_delay: None,
        cancel_timeout: old.cancel_timeout,
        test_fail: None,
    };
    let new = accept(world, wanted, Plan::default(), "resent");
    world.spawn(life::lead(Arc::clone(world), new));
    answer::ok("Fax queued for resending", Some(json!({ "id": new })))
}

async fn delete_fax(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let world = &api.world;
    let Some(fax) = known(world, &id) else {
        return answer::unknown();
    };
    if !fax.is_test {
        return answer::fail(422, "Only test faxes can be deleted.");
    }
    world.edit().faxes.remove(&fax.id);
    answer::ok("Deleted fax successfully!", None)
}

async fn file(State(api): State<Api>, Path(id): Path<String>, Extension(form): Fields) -> Response {
    let world = &api.world;
    world.edit().count("file");
    let Some(fax) = known(world, &id) else {
        return answer::unknown();
    };
    let ready = fax.is_final() && !fax.file_deleted && world.config.keep_files;
    let Some(content) = fax.content.filter(|_| ready) else {
        return answer::fail(404, "The file for this fax is not available.");
    };
    match form.get("thumbnail") {
        None => answer::file("application/pdf", &format!("fax-{}.pdf", fax.id), content),
        Some("s" | "l") => answer::file(
            "image/jpeg",
            &format!("fax-{}.jpg", fax.id),
            bytes::Bytes::from_static(THUMBNAIL),
        ),
        Some(_) => answer::fail(422, "thumbnail must be s or l."),
    }
}

async fn delete_file(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let world = &api.world;
    world.edit().count("delete_file");
    match known(world, &id) {
        Some(fax) => {
            world.change(fax.id, |fax| fax.file_deleted = true);
            answer::ok("Deleted files successfully!", None)
        }
        None => answer::unknown(),
    }
}

async fn account(State(api): State<Api>) -> Response {
    api.world.edit().count("account");
    let book = api.world.book();
    let count = |direction| {
        book.faxes
            .values()
            .filter(|fax| fax.direction == direction)
            .count()
    };
    let faxes = json!({ "sent": count(Direction::Sent), "received": count(Direction::Received) });
    answer::ok(
        "Account status retrieved successfully",
        Some(json!({ "balance": 1076, "faxes_today": faxes, "faxes_this_month": faxes })),
    )
}

async fn countries() -> Response {
    let row = |name: &str, alpha2: &str, code: u32, price: u32| {
        json!({ "name": name, "alpha2": alpha2, "country_code": code, "price_per_page": price,
            "send_support": "full", "receive_support": if price == 7 { "full" } else { "none" } })
    };
    answer::ok(
        "Data contains countries info",
        Some(json!([
            row("United States", "US", 1, 7),
            row("Canada", "CA", 1, 7),
            row("Puerto Rico", "PR", 1, 7),
            row("Germany", "DE", 49, 10),
            row("United Kingdom", "GB", 44, 10),
        ])),
    )
}

fn known(world: &World, id: &str) -> Option<Fax> {
    world.fax(id.parse().ok()?)
}

/// A time of a query, `default` when it is not given; none when it is no time.
fn time(form: &Form, name: &str, default: Timestamp) -> Option<Timestamp> {
    match form.get(name) {
        None => Some(default),
        Some(text) => text.parse().ok(),
    }
}

fn number(form: &Form, name: &str, default: usize) -> usize {
    form.get(name)
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}
