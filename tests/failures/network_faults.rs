//! The network to the provider breaks in every way; no fax is lost and none is sent twice.

use std::time::Duration;

use faxgate_simulator::SimulatorConfig;
use serde_json::Value;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::network::chaos_proxy::{ChaosProxy, Fault};
use faxgate_testkit::ports;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;
use faxgate_testkit::wait;

/// An installation whose provider is reached over a proxy with faults.
async fn with_chaos_proxy() -> (TestInstallation, ChaosProxy) {
    let provider = ports::reserve();
    let proxy = ChaosProxy::to(provider).await;
    let mut setup = Setup::new();
    setup.provider = SimulatorConfig {
        listen: provider,
        ..setup.provider
    };
    setup.api_url = Some(format!("http://{}/v2.1", proxy.addr));
    (setup.start().await, proxy)
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_lines_lose_and_repeat_nothing() {
    let (installation, proxy) = with_chaos_proxy().await;
    let cut_request = |bytes| Fault {
        cut_request_after: Some(bytes),
        ..Fault::default()
    };
    let cut_answer = |bytes| Fault {
        cut_answer_after: Some(bytes),
        ..Fault::default()
    };
    let troubles = [
        Fault {
            refuse: true,
            ..Fault::default()
        },
        cut_request(1),
        cut_request(300),
        cut_answer(1),
        cut_answer(150),
        Fault {
            swallow_answers: true,
            ..Fault::default()
        },
        Fault {
            delay: Some(Duration::from_secs(3)),
            ..Fault::default()
        },
    ];
    for (n, fault) in troubles.into_iter().enumerate() {
        proxy.set(fault);
        let id = installation
            .admin
            .accepted(&Fax::pdf(&format!("+1212555020{n}"), documents::pdf(1, "line")))
            .await;
        wait::until(&format!("{fault:?} to be felt"), || async {
            let timeline = installation.admin.timeline(&id).await;
            timeline
                .iter()
                .any(|word| ["retry_scheduled", "uncertain", "adopted"].contains(&word.as_str()))
                .then_some(())
        })
        .await;
        proxy.heal();
        installation.admin.reaches(&id, "SUCCESS").await;
        let faxes = installation.provider.faxes_of(&id).await;
        assert_eq!(
            faxes.len(),
            1,
            "{fault:?}: {faxes:#?} {:#?}",
            installation.admin.events(&id).await
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
    let installation = setup.start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125559971", documents::pdf(1, "lag")))
        .await;
    installation.admin.reaches(&id, "SUCCESS").await;
    assert_eq!(
        installation.provider.faxes_of(&id).await.len(),
        1,
        "{:#?}",
        installation.admin.events(&id).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_gone_is_tried_by_one_fax_at_a_time_until_it_is_back() {
    let (installation, proxy) = with_chaos_proxy().await;
    proxy.set(Fault {
        refuse: true,
        ..Fault::default()
    });
    let mut ids = Vec::new();
    for n in 0..8 {
        let to = format!("+1212555030{n}");
        ids.push(
            installation
                .admin
                .accepted(&Fax::pdf(&to, documents::pdf(1, "gone")))
                .await,
        );
    }
    wait::until_equal("readiness to tell", 503, || async {
        installation.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
    let ready = installation.admin.get("/health/ready").await.json();
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
    let before = attempts(jobs(&installation, &ids).await);
    wait::until("a probe", || async {
        let now = attempts(jobs(&installation, &ids).await);
        (now > before).then_some(())
    })
    .await;
    proxy.heal();
    for id in &ids {
        installation.admin.reaches(id, "SUCCESS").await;
        assert_eq!(installation.provider.faxes_of(id).await.len(), 1);
    }
    wait::until_equal("readiness to return", 200, || async {
        installation.admin.get("/health/ready").await.status.as_u16()
    })
    .await;
}

async fn jobs(installation: &TestInstallation, ids: &[String]) -> Vec<Value> {
    let mut jobs = Vec::new();
    for id in ids {
        jobs.push(installation.admin.job(id).await);
    }
    jobs
}
