//! Which callback to believe.
//!
//! As it stands, news of jobs that are not on the list in the setting `jobs` are refused. It believes nothing by
//! itself: everything else is passed on, and the next policy asks for the proof.
//!
//! The rules are plain Rust with plain tests (`cargo test`); `guest.rs` is the only file that knows the gateway.

#[cfg(target_family = "wasm")]
mod guest;

/// What to make of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Not believed: it needs no proof to be refused.
    Reject(&'static str),
    /// The next policy decides.
    Pass,
}

/// Judges a delivery by its query parameters: the setting `jobs` lists the only jobs that may be spoken of; when
/// it is empty all may.
pub fn judge(query: &[(String, String)], jobs: &str) -> Answer {
    let known = |id: &str| jobs.split(',').any(|job| job.trim() == id);
    let stranger = query
        .iter()
        .any(|(name, id)| name == "job_id" && !known(id));
    if !jobs.trim().is_empty() && stranger {
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
            judge(&query("c"), "a, b"),
            Answer::Reject("the job is not on the list")
        );
        assert_eq!(judge(&query("b"), "a, b"), Answer::Pass);
    }

    #[test]
    fn an_empty_list_refuses_nothing() {
        assert_eq!(judge(&query("c"), " "), Answer::Pass);
        assert_eq!(judge(&[], "a"), Answer::Pass);
    }
}
