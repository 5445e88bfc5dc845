//! Which callbacks are genuine.
//!
//! As it stands, callbacks for jobs that are not on the list in the setting `jobs` are rejected. It accepts nothing by
//! itself: everything else is passed to the next policy, which checks the proof.
//!
//! The rules are plain Rust with plain tests (`cargo test`); `guest.rs` is the only file that knows the component model.

#[cfg(target_family = "wasm")]
mod guest;

/// The decision about a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Rejected; no proof is needed for that.
    Reject(&'static str),
    /// The next policy decides.
    Pass,
}

/// Evaluates a delivery by its query parameters: the setting `jobs` lists the only jobs that callbacks may name; when
/// it is empty they may name any.
pub fn evaluate(query: &[(String, String)], jobs: &str) -> Answer {
    let known = |id: &str| jobs.split(',').any(|job| job.trim() == id);
    let unlisted = query
        .iter()
        .any(|(name, id)| name == "job_id" && !known(id));
    if !jobs.trim().is_empty() && unlisted {
        Answer::Reject("the job is not on the list")
    } else {
        Answer::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(id: &str) -> Vec<(String, String)> {
        vec![("job_id".to_owned(), id.to_owned())]
    }

    #[test]
    fn jobs_off_the_list_are_refused() {
        assert_eq!(
            evaluate(&query("c"), "a, b"),
            Answer::Reject("the job is not on the list")
        );
        assert_eq!(evaluate(&query("b"), "a, b"), Answer::Pass);
    }

    #[test]
    fn an_empty_list_refuses_nothing() {
        assert_eq!(evaluate(&query("c"), " "), Answer::Pass);
        assert_eq!(evaluate(&[], "a"), Answer::Pass);
    }
}
