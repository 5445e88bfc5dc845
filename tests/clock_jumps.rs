//! The wall clock is set while faxes are on their way: nobody waits for it to catch up, and nothing is sent early.

use faxgate_domain::ids::JobId;
use faxgate_domain::job::{Job, Phase};
use jiff::SignedDuration;
use serde_json::json;

use crate::harness::client::Fax;
use crate::harness::dice::Dice;
use crate::harness::documents;
use crate::harness::house::House;

/// Faxes in every state: waiting, held by the pace, uncertain, under way, without a callback, to be retried.
fn spread(house: &House) -> Vec<JobId> {
    let ways = [
        "0142", "9900", "9917", "9929", "9950", "9953", "9970", "9971", "9983", "9987",
    ];
    ways.iter()
        .enumerate()
        .map(|(n, digits)| {
            let fax = Fax::pdf(&format!("+1{}555{digits}", 205 + n), documents::pdf(1, digits));
            let id = house.outside.block_on(house.client.accepted(&fax));
            id.parse().expect("id")
        })
        .collect()
}

/// The clock is set by so many seconds, one after the other; nobody waits for the wall clock to catch up.
fn set(jumps: &[i64], crash: bool) {
    let mut house = House::open(&[("FAX_RETRIES", "1"), ("POLL_AFTER_SECONDS", "300")]);
    let mut dice = Dice::of(1);
    let mut ids = spread(&house);
    let began = house.clock.uptime();
    for jump in jumps {
        house.breathe(20);
        house.clock.set_by(SignedDuration::from_secs(*jump));
        if crash {
            house.cut(&mut dice);
            house.start();
        }
        ids.extend(spread_again(&house, *jump));
        house.pass(5);
    }
    // Less than the hour by which the clock was set: enough for polls and the grace period.
    while !ids
        .iter()
        .all(|id| house.job(*id).is_some_and(|job| job.phase.is_final()))
    {
        let passed = house.clock.uptime().saturating_sub(began).as_secs();
        let open: Vec<_> = house
            .jobs()
            .into_iter()
            .filter(|job| !job.phase.is_final())
            .collect();
        assert!(passed < 3300, "still open after {passed} s: {open:#?}");
        house.pass(10);
    }
    for id in ids {
        let faxes = house.outside.block_on(house.provider.faxes_of(&id.to_string()));
        let job = house.job(id).expect("job");
        assert_eq!(
            faxes.len(),
            1 + job.previous_attempts.len(),
            "{job:#?} {faxes:#?}"
        );
    }
}

/// One more fax by the clock as it is now.
fn spread_again(house: &House, jump: i64) -> Option<JobId> {
    let fax = Fax::pdf("+12125550142", documents::pdf(1, &jump.to_string()));
    house.outside.block_on(house.client.accepted(&fax)).parse().ok()
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
    let house = House::open(&[]);
    // The answer is lost, lists lag and nobody calls back: all that keeps it from being sent again is that it waits
    // long enough.
    let to = "+12125550142";
    let rule = json!({ "to": to, "behaviour": ["accept_then_drop", "list_lag", "callback_never"] });
    house.outside.block_on(house.provider.script(rule));
    let fax = Fax::pdf(to, documents::pdf(1, "lag"));
    let id: JobId = house
        .outside
        .block_on(house.client.accepted(&fax))
        .parse()
        .expect("id");
    let until = |what: fn(&Job) -> bool, seconds| {
        for _ in 0..1000 {
            if house.job(id).as_ref().is_some_and(what) {
                return;
            }
            house.pass(seconds);
        }
        panic!("{:#?}", house.store().timeline(id));
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
    house.clock.set_by(SignedDuration::from_hours(1));
    house.breathe(100);
    until(|job| job.phase.is_final(), 5);
    let faxes = house.outside.block_on(house.provider.faxes_of(&id.to_string()));
    assert_eq!(faxes.len(), 1, "{:#?}", house.store().timeline(id));
}

#[test]
fn a_fax_of_more_than_a_week_ago_is_still_found() {
    const DAYS: i64 = 9;
    let house = House::open(&[]);
    let to = "+12125550142";
    let rule = json!({ "to": to, "behaviour": ["accept_then_drop", "callback_never"] });
    house.outside.block_on(house.provider.script(rule));
    let id = house
        .outside
        .block_on(house.client.accepted(&Fax::pdf(to, documents::pdf(1, "old"))));
    let job: JobId = id.parse().expect("id");
    // Nobody can be asked for days: the provider refuses the credentials from the moment it has the fax.
    while house.outside.block_on(house.provider.faxes_of(&id)).is_empty() {
        house.breathe(1);
    }
    let refused = house.provider.credentials(json!({ "valid": false }));
    house.outside.block_on(refused);
    // It is sent all the same.
    let fax = || house.outside.block_on(house.provider.faxes_of(&id)).remove(0);
    while fax()["status"] != "success" {
        house.outside.block_on(house.provider.advance(10));
        house.breathe(5);
    }
    let skew = json!({ "skew_seconds": DAYS * 86_400 });
    house
        .outside
        .block_on(house.provider.post("/simulator/clock", skew));
    house.clock.shift(SignedDuration::from_hours(24 * DAYS));
    house.breathe(50);
    let back = house.provider.credentials(json!({ "valid": true }));
    house.outside.block_on(back);
    for _ in 0..1000 {
        if house.job(job).is_some_and(|job| job.phase.is_final()) {
            break;
        }
        house.pass(60);
    }
    // The provider's own window ends a week back; nothing is sent again for that.
    let (job, faxes) = (
        house.job(job).expect("job"),
        house.outside.block_on(house.provider.faxes_of(&id)),
    );
    assert_eq!((job.phase, faxes.len()), (Phase::Delivered, 1), "{job:#?}");
}
