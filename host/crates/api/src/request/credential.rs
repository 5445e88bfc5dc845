//! The API key that a request carries, in `X-API-Key` or `Authorization: Bearer`.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

use crate::problem::Problem;
use faxgate_domain::code::Code;

/// The header of a key.
pub(crate) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Whether the request carries a key, valid or not.
pub(crate) fn is_present(headers: &HeaderMap) -> bool {
    headers.contains_key(X_API_KEY) || headers.contains_key(AUTHORIZATION)
}

/// The key that a request carries. Two different keys are refused: which of them counts would be a guess.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut found: Option<&str> = None;
    for value in headers.get_all(X_API_KEY) {
        let text = value.to_str().map_err(|_| unreadable())?.trim();
        found = Some(same(found, text)?);
    }
    for value in headers.get_all(AUTHORIZATION) {
        let text = value.to_str().map_err(|_| unreadable())?;
        let (scheme, token) = text.trim().split_once(' ').ok_or_else(unreadable)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(unreadable());
        }
        found = Some(same(found, token.trim())?);
    }
    // An empty X-API-Key is what a client without a key sends by mistake.
    Ok(found.filter(|token| !token.is_empty()))
}

fn same<'a>(found: Option<&'a str>, text: &'a str) -> Result<&'a str, Problem> {
    match found {
        Some(found) if found != text => Err(Problem::new(
            Code::Unauthenticated,
            "the request has two different API keys: send one",
        )),
        _ => Ok(text),
    }
}

fn unreadable() -> Problem {
    Problem::new(
        Code::Unauthenticated,
        "the credentials can't be read: send the API key as X-API-Key or as Authorization: Bearer",
    )
}

#[cfg(test)]
mod tests;
