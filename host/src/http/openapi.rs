//! The description of the interface (OpenAPI 3.1).

use axum::Json;
use axum::response::IntoResponse;

use super::handlers::Answer;

/// `GET /openapi.json`
pub(crate) async fn serve() -> Answer {
    Ok(Json(serde_json::json!({})).into_response())
}
