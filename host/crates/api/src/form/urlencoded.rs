//! Forms in `application/x-www-form-urlencoded`, counted before anything is allocated.

use bytes::Bytes;

use super::multipart::{MAX_PARTS, too_many_parts};
use crate::problem::Problem;
use crate::request::body::body_too_large;
use faxgate_base::size::MIB;

/// Most bytes of the text of a form.
pub(crate) const MAX_FORM_TEXT: u64 = MIB;

/// Reads the fields, in order.
///
/// # Errors
/// When there are too many fields or too many bytes.
pub(crate) fn fields(body: &Bytes) -> Result<Vec<(String, String)>, Problem> {
    if body.len() as u64 > MAX_FORM_TEXT {
        return Err(body_too_large(MAX_FORM_TEXT));
    }
    let pairs = body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    if pairs.take(MAX_PARTS + 1).count() > MAX_PARTS {
        return Err(too_many_parts());
    }
    Ok(url::form_urlencoded::parse(body).into_owned().collect())
}

#[cfg(test)]
mod tests;
