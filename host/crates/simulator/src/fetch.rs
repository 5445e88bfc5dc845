//! Fetching what is to be sent, after the request to send was answered.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::pdf;
use super::record::{Failure, Fetch};
use super::world::World;

/// Attempts per address, and the provider time between them.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(5);

/// The real time one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The most that is fetched, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// The most pages a fax may have.
const MOST_PAGES: u32 = 200;

/// Gets everything a fax consists of, keeps it and counts its pages. The first document stands for all of it.
pub(super) async fn content(world: &Arc<World>, id: u64) -> Result<u32, Failure> {
    let Some(fax) = world.fax(id) else {
        return Err(Failure::new("generalError", 3, "General error."));
    };
    let mut parts = Vec::new();
    for url in &fax.content_urls {
        parts.push(fetched(world, id, url).await?);
        if fax.plan.fetching.twice {
            // As often as a fetch may fail, it may be repeated after it did not.
            fetched(world, id, url).await?;
        }
    }
    // What was uploaded came with the request and is there already.
    parts.extend(fax.content.clone());
    let mut pages = 0;
    for part in &parts {
        pages += pdf::pages(part).ok_or_else(|| unreadable(part))?;
    }
    if pages > MOST_PAGES {
        return Err(Failure::new(
            "documentConversionError",
            4,
            "There was a problem in converting and merging files to the output file format. Contact support.",
        ));
    }
    if let Some(first) = parts.into_iter().next() {
        let digest = hex::encode(Sha256::digest(&first));
        let mut book = world.edit();
        if let Some(fax) = book.faxes.get_mut(&id) {
            fax.sha256 = Some(digest);
        }
        book.keep_content(id, first);
    }
    Ok(pages)
}

async fn fetched(world: &Arc<World>, id: u64, url: &str) -> Result<Bytes, Failure> {
    if !matches!(url::Url::parse(url), Ok(parsed) if matches!(parsed.scheme(), "http" | "https")) {
        return Err(Failure::new(
            "documentConversionError",
            55,
            "The string_data URL you provided is invalid",
        ));
    }
    for attempt in 1..=ATTEMPTS {
        let outcome = once(world, url).await;
        let at = world.now();
        world.change(id, |fax| {
            fax.fetches.push(Fetch {
                at,
                url: url.to_owned(),
                bytes: outcome.as_ref().map_or(0, |bytes| bytes.len() as u64),
                outcome: outcome.as_ref().map_or_else(Clone::clone, |_| "ok".to_owned()),
            });
        });
        if let Ok(bytes) = outcome {
            return Ok(bytes);
        }
        if attempt < ATTEMPTS {
            let until = world.pace.now().saturating_add(PAUSE);
            world.pace.sleep_until(until).await;
        }
    }
    Err(Failure::new(
        "documentConversionError",
        54,
        "Could not access the url you provided.",
    ))
}

async fn once(world: &Arc<World>, url: &str) -> Result<Bytes, String> {
    let response = world
        .http
        .any
        .get(url)
        .timeout(TIMEOUT)
        .send()
        .await
        .map_err(|error| told(&error.without_url()))?;
    if !response.status().is_success() {
        return Err(format!("HTTP {}", response.status().as_u16()));
    }
    let bytes = response
        .bytes()
        .await
        .map_err(|error| told(&error.without_url()))?;
    if bytes.len() > LARGEST {
        return Err("too large".to_owned());
    }
    Ok(bytes)
}

/// An error with its causes.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

fn unreadable(content: &[u8]) -> Failure {
    let (id, message) = if content.starts_with(b"%PDF") {
        (133, "Failed to normalize PDF document")
    } else if content.starts_with(b"<?xml") {
        (130, "Mimetype not supported: application/xml")
    } else if content.is_empty() {
        (128, "Could not determine mimetype for file.")
    } else {
        (129, "Mimetype not supported.")
    };
    Failure::new("documentConversionError", id, message)
}
