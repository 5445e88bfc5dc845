//! The life of a sent fax, from queue to end.

use std::sync::Arc;
use std::time::Duration;

use super::callback::{self, News};
use super::fetch;
use super::pace::seconds;
use super::record::{Failure, Fax};
use super::script::Fate;
use super::world::World;

/// A page costs 7 US cents, as calls to the United States do.
const CENTS_PER_PAGE: i64 = 7;

/// Why a fax did not get on.
enum Halt {
    /// Somebody cancelled it.
    Cancelled,
    /// Its `cancel_timeout` passed.
    TimedOut,
    /// It is gone.
    Gone,
}

/// Leads a fax to its end and tells the news.
pub(super) async fn lead(world: Arc<World>, id: u64) {
    let end = match phases(&world, id).await {
        Ok(()) => Ok(()),
        Err(Halt::Gone) => return,
        Err(Halt::Cancelled) => Err(Failure::new("faxError", 75, "Manually canceled by user")),
        Err(Halt::TimedOut) => Err(Failure::new(
            "faxError",
            76,
            "Canceled automatically because timeout exceeded",
        )),
    };
    if let Err(failure) = end {
        settle(&world, id, "failure", Some(&failure), true);
    }
    if let Some(fax) = world.fax(id).filter(|fax| fax.plan.callbacks.lag > 0.0) {
        let until = world.pace.now().saturating_add(seconds(fax.plan.callbacks.lag));
        world.pace.sleep_until(until).await;
    }
    callback::tell(&world, id, News::Ended).await;
}

/// Goes through the states; on `Ok` the fax is in its final one.
async fn phases(world: &Arc<World>, id: u64) -> Result<(), Halt> {
    let fax = world.fax(id).ok_or(Halt::Gone)?;
    let fate = fax.plan.fate.clone();
    let step = world.config.completion / 4;
    if let Some(until) = fax.batch_until {
        world.change(id, |fax| fax.status = "pendingbatch".to_owned());
        wait(world, id, until.saturating_sub(world.pace.now())).await?;
        world.change(id, |fax| fax.status = "queued".to_owned());
    }
    wait(world, id, step.saturating_add(seconds(fax.plan.fetching.lag))).await?;
    let pages = match fetch::content(world, id).await {
        Ok(pages) => pages,
        Err(failure) => {
            settle(world, id, "failure", Some(&failure), true);
            return Ok(());
        }
    };
    let word = match &fate {
        Fate::UnknownWord(word) => word.clone(),
        _ => "inprogress".to_owned(),
    };
    stage(world, id, &word, "ringing");
    if matches!(fate, Fate::UnknownWord(_)) {
        callback::tell(world, id, News::UnknownWord).await;
    }
    wait(world, id, step).await?;
    stage(world, id, &word, "callactive");
    world.change(id, |fax| fax.pages = pages);
    callback::tell(world, id, News::Page(1)).await;
    if fate == Fate::Retry {
        retry(world, id, step).await?;
    }
    wait(world, id, step).await?;
    if fate == Fate::Stuck {
        wait(world, id, Duration::MAX).await?;
    }
    conclude(world, id, &fate, pages);
    Ok(())
}

async fn retry(world: &Arc<World>, id: u64, step: Duration) -> Result<(), Halt> {
    world.change(id, |fax| {
        for recipient in &mut fax.recipients {
            recipient.status = Some("willretry".to_owned());
            recipient.retry_count += 1;
        }
    });
    callback::tell(world, id, News::Retry).await;
    wait(world, id, step).await?;
    stage(world, id, "inprogress", "callactive");
    Ok(())
}

fn conclude(world: &World, id: u64, fate: &Fate, pages: u32) {
    let busy = Failure::new("lineError", 17, "Busy");
    match fate {
        Fate::Fail {
            failure,
            recipient_only,
        } => settle(world, id, "failure", Some(failure), !recipient_only),
        Fate::Partial { ours_delivered } => partly(world, id, *ours_delivered, &busy),
        _ => settle(world, id, "success", None, false),
    }
    let cost = CENTS_PER_PAGE * i64::from(pages);
    world.change(id, |fax| {
        if let Some(cost) = fax.plan.cost {
            fax.cost = cost;
            return;
        }
        let delivered = fax
            .recipients
            .iter()
            .filter(|recipient| recipient.status.as_deref() == Some("success"))
            .count();
        fax.cost = cost * i64::try_from(delivered).unwrap_or(0);
    });
}

/// Ends a fax that some recipients got: the first did or did not, further ones the other way round.
fn partly(world: &World, id: u64, first_delivered: bool, failure: &Failure) {
    settle(world, id, "partialsuccess", None, false);
    world.change(id, |fax| {
        let mut delivered = first_delivered;
        for recipient in &mut fax.recipients {
            recipient.status = Some(if delivered { "success" } else { "failure" }.to_owned());
            recipient.error = (!delivered).then(|| failure.clone());
            delivered = !first_delivered;
        }
    });
}

fn stage(world: &World, id: u64, status: &str, recipient_status: &str) {
    world.change(id, |fax| {
        fax.status = status.to_owned();
        for recipient in &mut fax.recipients {
            recipient.status = Some(recipient_status.to_owned());
        }
    });
}

/// Ends the fax and its recipients alike.
fn settle(world: &World, id: u64, status: &str, failure: Option<&Failure>, whole_fax: bool) {
    let now = world.now();
    world.change(id, |fax| {
        fax.status = status.to_owned();
        fax.completed_at = Some(now);
        fax.error = failure.filter(|_| whole_fax).cloned();
        for recipient in &mut fax.recipients {
            recipient.status = Some(status.to_owned());
            recipient.completed_at = Some(now);
            recipient.error = failure.cloned();
        }
    });
}

/// Waits for `span` of provider time, or until the fax is cancelled.
async fn wait(world: &Arc<World>, id: u64, span: Duration) -> Result<(), Halt> {
    let mut stirred = world.stirred.subscribe();
    let until = world.pace.now().saturating_add(span);
    loop {
        let fax = world.fax(id).ok_or(Halt::Gone)?;
        let race = fax.plan.fate == Fate::CancelRace;
        if fax.cancel_requested && !race {
            return Err(Halt::Cancelled);
        }
        let limit = deadline(&fax);
        if limit.is_some_and(|limit| limit <= world.pace.now()) {
            return Err(Halt::TimedOut);
        }
        if until <= world.pace.now() {
            return Ok(());
        }
        let next = limit.map_or(until, |limit| limit.min(until));
        tokio::select! {
            () = world.pace.sleep_until(next) => {}
            _ = stirred.changed() => {}
        }
    }
}

/// The provider time at which the fax is given up.
fn deadline(fax: &Fax) -> Option<Duration> {
    let minutes = fax.cancel_timeout?;
    Some(
        fax.taken_at
            .saturating_add(Duration::from_secs(60 * u64::from(minutes))),
    )
}
