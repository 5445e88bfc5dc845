//! The parameters of a path.

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

use crate::problem::Problem;
use faxgate_domain::code::Code;

/// The one parameter of a path, as text: the use case says whether it is an id.
#[derive(Clone, Debug)]
pub(crate) struct Id(pub(crate) String);

/// The two parameters of a path: an id, and the name of something below it.
#[derive(Clone, Debug)]
pub(crate) struct IdAndName(pub(crate) String, pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| unknown())?;
        Ok(Self(id))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdAndName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((id, name)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| unknown())?;
        Ok(Self(id, name))
    }
}

/// A parameter that can't be decoded is no id.
fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is nothing with this id")
}
