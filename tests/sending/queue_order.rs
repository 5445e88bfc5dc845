//! Many faxes wait: they go out in the order of their times. What that costs is measured by the bench `dispatch`.

use faxgate_base::id::IdSource;
use faxgate_domain::audit::AuditEntry;
use faxgate_domain::event::{EventKind, TimelineEntry};
use faxgate_domain::ids::JobId;
use faxgate_domain::job::Job;
use faxgate_domain::number::E164;
use faxgate_store::{NewJob, Store};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use faxgate_testkit::rng;
use faxgate_testkit::service::in_process::InProcessService;

/// Makes `count` jobs that are due one after the other, the last one first.
async fn queue(store: &Store, now: Timestamp, count: usize) -> Vec<JobId> {
    let ids = IdSource::default();
    let made: Vec<JobId> = (0..count).map(|_| JobId(ids.next(now))).collect();
    let jobs = made.iter().rev().enumerate().map(|(n, id)| {
        let to = E164::new(&format!("+1212{}", 2_000_000 + n)).expect("number");
        let job = Job {
            wake_at: Some(now - SignedDuration::from_millis((count - n) as i64)),
            ..Job::queued(*id, "desk", to, now)
        };
        store.create_job(NewJob {
            job,
            document: None,
            timeline: vec![TimelineEntry::new(now, EventKind::Accepted)],
            idempotency: None,
            audit: AuditEntry::new(now, "desk", "fax.accepted", id),
        })
    });
    for created in join_all(jobs).await {
        created.expect("a job");
    }
    made.into_iter().rev().collect()
}

#[test]
fn a_long_queue_goes_out_in_the_order_of_its_times() {
    let count = 2000 * rng::repetitions("FAXGATE_STRESS", 1);
    let mut service = InProcessService::open(&[("DISPATCH_CONCURRENCY", "1")]);
    service.kill();
    let store = service.closed();
    let due = service
        .outside
        .block_on(queue(&store, service.clock.now(), count));
    store.close();
    drop(store);
    service.start();
    while service.outside.block_on(service.provider.faxes()).len() < 50 {
        service.breathe(5);
    }
    let faxes = service.outside.block_on(service.provider.faxes());
    let order: Vec<_> = faxes
        .iter()
        .map(|fax| fax["job"].as_str().expect("job").to_owned())
        .collect();
    let expected: Vec<_> = due.iter().take(order.len()).map(ToString::to_string).collect();
    assert_eq!(order, expected);
}
