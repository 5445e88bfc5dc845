//! The line to the provider breaks in every way; no fax is lost and none is sent twice.

use std::time::Duration;

use faxgate_simulator::SimulatorConfig;
use serde_json::Value;

use crate::harness::chaos::{Line, Trouble};
use crate::harness::client::Fax;
use crate::harness::world::Setup;
use crate::harness::{World, documents, ports, wait};

/// An installation whose provider is reached over a line.
async fn with_line() -> (World, Line) {
    let provider = ports::reserve();
    let line = Line::to(provider).await;
    let mut setup = Setup::new();
    setup.provider = SimulatorConfig {
        listen: provider,
        ..setup.provider
    };
    setup.api_url = Some(format!("http://{}/v2.1", line.addr));
    (setup.start().await, line)
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_lines_lose_and_repeat_nothing() {
    let (world, line) = with_line().await;
    let cut_request = |bytes| Trouble {
        cut_request_after: Some(bytes),
        ..Trouble::default()
    };
    let cut_answer = |bytes| Trouble {
        cut_answer_after: Some(bytes),
        ..Trouble::default()
    };
    let troubles = [
        Trouble {
            refuse: true,
            ..Trouble::default()
        },
        cut_request(1),
        cut_request(300),
        cut_answer(1),
        cut_answer(150),
        Trouble {
            swallow_answers: true,
            ..Trouble::default()
        },
        Trouble {
            delay: Some(Duration::from_secs(3)),
            ..Trouble::default()
        },
    ];
    for (n, trouble) in troubles.into_iter().enumerate() {
        line.set(trouble);
        let id = world
            .admin
            .accepted(&Fax::pdf(&format!("+1212555020{n}"), documents::pdf(1, "line")))
            .await;
        wait::until(&format!("{trouble:?} to be felt"), || async {
            let timeline = world.admin.timeline(&id).await;
            timeline
                .iter()
                .any(|word| ["retry_scheduled", "uncertain", "adopted"].contains(&word.as_str()))
                .then_some(())
        })
        .await;
        line.heal();
        world.admin.reaches(&id, "SUCCESS").await;
        let faxes = world.provider.faxes_of(&id).await;
        assert_eq!(
            faxes.len(),
            1,
            "{trouble:?}: {faxes:#?} {:#?}",
            world.admin.events(&id).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_without_proof_of_the_job_keeps_a_lost_answer_from_a_second_fax() {
    let mut setup = Setup::new();
    // The answer is lost, lists lag for longer than the grace period, and the callback proves no job.
    setup.provider.signature = faxgate_simulator::Scheme::Sha256;
    setup.provider.webhook_version = faxgate_simulator::WebhookVersion::Flat;
    setup.provider.time_scale = 4.0;
    setup.provider.completion = Duration::from_secs(1);
    setup.set("dispatch.grace_seconds", 3.0);
    let world = setup.start().await;
    let id = world
        .admin
        .accepted(&Fax::pdf("+12125559971", documents::pdf(1, "lag")))
        .await;
    world.admin.reaches(&id, "SUCCESS").await;
    assert_eq!(
        world.provider.faxes_of(&id).await.len(),
        1,
        "{:#?}",
        world.admin.events(&id).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_gone_is_tried_by_one_fax_at_a_time_until_it_is_back() {
    let (world, line) = with_line().await;
    line.set(Trouble {
        refuse: true,
        ..Trouble::default()
    });
    let mut ids = Vec::new();
    for n in 0..8 {
        let to = format!("+1212555030{n}");
        ids.push(
            world
                .admin
                .accepted(&Fax::pdf(&to, documents::pdf(1, "gone")))
                .await,
        );
    }
    wait::until_equal("readiness to tell", 503, || async {
        world.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
    let ready = world.admin.get("/health/ready").await.json();
    let checks = ready["checks"].as_array().expect("checks");
    assert!(
        checks
            .iter()
            .any(|check| check["name"] == "provider" && check["ok"] == false),
        "{ready}"
    );
    let attempts = |jobs: Vec<Value>| {
        jobs.iter()
            .map(|job| job["attempts"].as_u64().unwrap_or(0))
            .sum::<u64>()
    };
    // Shut after five failures; whoever tries then is one at a time, and the wait between tries grows.
    let before = attempts(jobs(&world, &ids).await);
    wait::until("a probe", || async {
        let now = attempts(jobs(&world, &ids).await);
        (now > before).then_some(())
    })
    .await;
    line.heal();
    for id in &ids {
        world.admin.reaches(id, "SUCCESS").await;
        assert_eq!(world.provider.faxes_of(id).await.len(), 1);
    }
    wait::until_equal("readiness to return", 200, || async {
        world.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
}

async fn jobs(world: &World, ids: &[String]) -> Vec<Value> {
    let mut jobs = Vec::new();
    for id in ids {
        jobs.push(world.admin.job(id).await);
    }
    jobs
}
