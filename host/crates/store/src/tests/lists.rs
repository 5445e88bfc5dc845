//! Lists of jobs against a plain filter of the same jobs.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::fixtures::{Bed, claimed};
use crate::{BadCursor, Cursor, JobFilter, NewJob, PageRequest, StoreError};
use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, PublicStatus};
use faxgate_domain::number::E164;
use faxgate_domain::status::JobEvent;

const JOBS: usize = 500;

/// 500 jobs over three owners, four numbers and three states, made a second apart.
async fn filled() -> (Bed, Vec<Job>) {
    let bed = Bed::new();
    let start = bed.clock.now();
    let new: Vec<NewJob> = (0..JOBS)
        .map(|number| {
            let at = start + SignedDuration::from_secs(number as i64);
            let owner = ["desk", "ward", "lab"][number % 3];
            let mut new = super::fixtures::new_job(JobId(bed.ids.next(at)), owner, at);
            new.job.to = E164::new(&format!("+1212555014{}", number * 7 % 4)).unwrap();
            new
        })
        .collect();
    join_all(new.iter().cloned().map(|new| bed.store.create_job(new))).await;
    let mut jobs = Vec::new();
    for (number, NewJob { job, .. }) in new.into_iter().enumerate().rev() {
        match number % 5 {
            0 => drop(
                bed.store
                    .advance(job.id, JobEvent::CancelRequested)
                    .await
                    .unwrap(),
            ),
            1 => drop(bed.store.advance(job.id, claimed(start)).await.unwrap()),
            _ => {}
        }
        jobs.push(bed.store.job(job.id).await.unwrap().unwrap());
    }
    (bed, jobs)
}

fn expected(jobs: &[Job], filter: &JobFilter) -> Vec<Job> {
    jobs.iter()
        .filter(|job| filter.owner.as_ref().is_none_or(|owner| job.owner == *owner))
        .filter(|job| filter.status.is_none_or(|status| job.status() == status))
        .filter(|job| filter.to.as_ref().is_none_or(|to| job.to == *to))
        .filter(|job| filter.created_after.is_none_or(|after| job.created_at > after))
        .filter(|job| filter.created_before.is_none_or(|before| job.created_at < before))
        .cloned()
        .collect()
}

async fn all(bed: &Bed, filter: &JobFilter, limit: usize) -> (Vec<Job>, usize) {
    let (mut found, mut pages, mut cursor) = (Vec::new(), 0, None);
    loop {
        let page = bed
            .store
            .jobs(filter, &PageRequest { limit, cursor })
            .await
            .unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items);
        pages += 1;
        // As a client does it: the cursor goes through text.
        cursor = page.next.map(|next| next.to_string().parse::<Cursor>().unwrap());
        if cursor.is_none() {
            return (found, pages);
        }
    }
}

#[tokio::test]
async fn every_combination_of_filters_gives_what_it_should() {
    let (bed, jobs) = filled().await;
    let times: [Option<Timestamp>; 2] = [None, Some(jobs[300].created_at)];
    let later: [Option<Timestamp>; 2] = [None, Some(jobs[100].created_at)];
    let mut some = 0;
    for owner in [None, Some("ward".to_owned()), Some("nobody".to_owned())] {
        for status in [None, Some(PublicStatus::Failed), Some(PublicStatus::Success)] {
            for to in [None, Some(E164::new("+12125550143").unwrap())] {
                for (created_after, created_before) in times.into_iter().flat_map(|a| later.map(|b| (a, b))) {
                    let filter = JobFilter {
                        owner: owner.clone(),
                        status,
                        to: to.clone(),
                        created_after,
                        created_before,
                    };
                    let expected = expected(&jobs, &filter);
                    let (found, pages) = all(&bed, &filter, 7).await;
                    assert_eq!(found, expected, "{filter:?}");
                    assert_eq!(pages, expected.len().div_ceil(7).max(1), "{filter:?}");
                    some += usize::from(!expected.is_empty());
                }
            }
        }
    }
    assert!(
        some > 20,
        "the filters must find something for this to mean anything"
    );
}

#[tokio::test]
async fn new_jobs_do_not_shift_the_pages() {
    let (bed, jobs) = filled().await;
    let page = bed
        .store
        .jobs(
            &JobFilter::default(),
            &PageRequest {
                limit: 10,
                cursor: None,
            },
        )
        .await
        .unwrap();
    bed.clock.shift(SignedDuration::from_hours(1));
    bed.created("desk").await;
    let next = bed
        .store
        .jobs(
            &JobFilter::default(),
            &PageRequest {
                limit: 10,
                cursor: page.next,
            },
        )
        .await
        .unwrap();
    assert_eq!([page.items, next.items].concat(), jobs[..20]);
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let (bed, _jobs) = filled().await;
    let desk = JobFilter {
        owner: Some("desk".to_owned()),
        ..JobFilter::default()
    };
    let cursor = bed
        .store
        .jobs(
            &desk,
            &PageRequest {
                limit: 1,
                cursor: None,
            },
        )
        .await
        .unwrap()
        .next;
    let ward = JobFilter {
        owner: Some("ward".to_owned()),
        ..JobFilter::default()
    };
    let refused = bed.store.jobs(&ward, &PageRequest { limit: 1, cursor }).await;
    assert!(matches!(refused, Err(StoreError::BadCursor(BadCursor))));
    let refused = Bed::new()
        .store
        .jobs(&desk, &PageRequest { limit: 1, cursor })
        .await;
    assert!(
        matches!(refused, Err(StoreError::BadCursor(BadCursor))),
        "of another database"
    );
}

#[tokio::test]
async fn no_filter_makes_a_page_slow_and_every_page_goes_on() {
    // Two filters that each have thousands of jobs, never the same: the pages are empty and short of work.
    let bed = Bed::new();
    let new: Vec<_> = (0..12_000)
        .map(|number| {
            let mut new = bed.job(["desk", "ward"][number % 2]);
            let last = if number == 0 { 2 } else { number % 2 };
            new.job.to = E164::new(&format!("+1212555010{last}")).unwrap();
            new
        })
        .collect();
    let oldest = new[0].job.id;
    for part in new.chunks(1000) {
        join_all(part.iter().cloned().map(|new| bed.store.create_job(new))).await;
    }
    let never = JobFilter {
        owner: Some("desk".to_owned()),
        to: Some(E164::new("+12125550101").unwrap()),
        ..JobFilter::default()
    };
    let (found, pages) = all(&bed, &never, 10).await;
    assert!(found.is_empty());
    assert!(pages > 1, "{pages}");
    let rare = JobFilter {
        to: Some(E164::new("+12125550102").unwrap()),
        ..never
    };
    let (found, pages) = all(&bed, &rare, 10).await;
    assert_eq!(
        (found[0].id, found.len(), pages),
        (oldest, 1, 1),
        "the narrowest index sets the pace"
    );
}
