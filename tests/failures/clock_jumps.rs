//! The wall clock is set while faxes are on their way: nobody waits for it to catch up, and nothing is sent early.

use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase};
use jiff::SignedDuration;
use serde_json::json;

use faxgate_testkit::documents;
use faxgate_testkit::rng::TestRng;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::in_process::InProcessService;

/// Faxes in every state: waiting, held by the pace, uncertain, under way, without a callback, to be retried.
fn spread(service: &InProcessService) -> Vec<JobId> {
    let ways = [
        "0142", "9900", "9917", "9929", "9950", "9953", "9970", "9971", "9983", "9987",
    ];
    ways.iter()
        .enumerate()
        .map(|(n, digits)| {
            let fax = Fax::pdf(&format!("+1{}555{digits}", 205 + n), documents::pdf(1, digits));
            let id = service.outside.block_on(service.client.accepted(&fax));
            id.parse().expect("id")
        })
        .collect()
}

/// The clock is set by so many seconds, one after the other; nobody waits for the wall clock to catch up.
fn set(jumps: &[i64], crash: bool) {
    let mut service = InProcessService::open(&[("FAX_RETRIES", "1"), ("POLL_AFTER_SECONDS", "300")]);
    let mut rng = TestRng::of(1);
    let mut ids = spread(&service);
    let began = service.clock.uptime();
    for jump in jumps {
        service.breathe(20);
        service.clock.set_by(SignedDuration::from_secs(*jump));
        if crash {
            service.cut(&mut rng);
            service.start();
        }
        ids.extend(spread_again(&service, *jump));
        service.pass(5);
    }
    // Less than the hour by which the clock was set: enough for polls and the grace period.
    while !ids
        .iter()
        .all(|id| service.job(*id).is_some_and(|job| job.phase.is_final()))
    {
        let passed = service.clock.uptime().saturating_sub(began).as_secs();
        let open: Vec<_> = service
            .jobs()
            .into_iter()
            .filter(|job| !job.phase.is_final())
            .collect();
        assert!(passed < 3300, "still open after {passed} s: {open:#?}");
        service.pass(10);
    }
    for id in ids {
        let faxes = service
            .outside
            .block_on(service.provider.faxes_of(&id.to_string()));
        let job = service.job(id).expect("job");
        assert_eq!(
            faxes.len(),
            1 + job.previous_attempts.len(),
            "{job:#?} {faxes:#?}"
        );
    }
}

/// One more fax by the clock as it is now.
fn spread_again(service: &InProcessService, jump: i64) -> Option<JobId> {
    let fax = Fax::pdf("+12125550142", documents::pdf(1, &jump.to_string()));
    service
        .outside
        .block_on(service.client.accepted(&fax))
        .parse()
        .ok()
}

#[test]
fn a_clock_set_back_by_an_hour_leaves_nothing_waiting() {
    set(&[-3600], false);
}

#[test]
fn a_clock_set_forth_and_back_leaves_nothing_waiting() {
    set(&[3600, -3600], false);
    set(&[-3600, 3600, -3600], false);
}

#[test]
fn a_clock_set_back_while_it_was_down_leaves_nothing_waiting() {
    set(&[-3600], true);
}

#[test]
fn a_clock_set_forth_makes_no_absence_longer() {
    let service = InProcessService::open(&[]);
    // The answer is lost, lists lag and nobody calls back: all that keeps it from being sent again is that it waits
    // long enough.
    let to = "+12125550142";
    let rule = json!({ "to": to, "behaviour": ["accept_then_drop", "list_lag", "callback_never"] });
    service.outside.block_on(service.provider.script(rule));
    let fax = Fax::pdf(to, documents::pdf(1, "lag"));
    let id: JobId = service
        .outside
        .block_on(service.client.accepted(&fax))
        .parse()
        .expect("id");
    let until = |what: fn(&Job) -> bool, seconds| {
        for _ in 0..1000 {
            if service.job(id).as_ref().is_some_and(what) {
                return;
            }
            service.pass(seconds);
        }
        panic!("{:#?}", service.outside.block_on(service.store().timeline(id)));
    };
    until(
        |job| {
            matches!(
                job.phase,
                Phase::Uncertain {
                    absent_since: Some(_)
                }
            )
        },
        1,
    );
    service.clock.set_by(SignedDuration::from_hours(1));
    service.breathe(100);
    until(|job| job.phase.is_final(), 5);
    let faxes = service
        .outside
        .block_on(service.provider.faxes_of(&id.to_string()));
    assert_eq!(
        faxes.len(),
        1,
        "{:#?}",
        service.outside.block_on(service.store().timeline(id))
    );
}

#[test]
fn a_fax_of_more_than_a_week_ago_is_still_found() {
    const DAYS: i64 = 9;
    let service = InProcessService::open(&[]);
    let to = "+12125550142";
    let rule = json!({ "to": to, "behaviour": ["accept_then_drop", "callback_never"] });
    service.outside.block_on(service.provider.script(rule));
    let id = service
        .outside
        .block_on(service.client.accepted(&Fax::pdf(to, documents::pdf(1, "old"))));
    let job: JobId = id.parse().expect("id");
    // Nobody can be asked for days: the provider refuses the credentials from the moment it has the fax.
    while service
        .outside
        .block_on(service.provider.faxes_of(&id))
        .is_empty()
    {
        service.breathe(1);
    }
    let refused = service.provider.credentials(json!({ "valid": false }));
    service.outside.block_on(refused);
    // It is sent all the same.
    let fax = || service.outside.block_on(service.provider.faxes_of(&id)).remove(0);
    while fax()["status"] != "success" {
        service.outside.block_on(service.provider.advance(10));
        service.breathe(5);
    }
    let skew = json!({ "skew_seconds": DAYS * 86_400 });
    service
        .outside
        .block_on(service.provider.post("/simulator/clock", skew));
    service.clock.shift(SignedDuration::from_hours(24 * DAYS));
    service.breathe(50);
    let back = service.provider.credentials(json!({ "valid": true }));
    service.outside.block_on(back);
    for _ in 0..1000 {
        if service.job(job).is_some_and(|job| job.phase.is_final()) {
            break;
        }
        service.pass(60);
    }
    // The provider's own window ends a week back; nothing is sent again for that.
    let (job, faxes) = (
        service.job(job).expect("job"),
        service.outside.block_on(service.provider.faxes_of(&id)),
    );
    assert_eq!((job.phase, faxes.len()), (Phase::Delivered, 1), "{job:#?}");
}
