//! The whole way of a fax: upload, conversion, hand-over, link fetch, signed callback, end.

use faxgate_simulator::{Scheme, WebhookVersion};

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn a_pdf_and_a_text_reach_success() {
    let installation = TestInstallation::start().await;
    let client = installation.sender("clinic").await;
    let pdf = documents::pdf(3, "Referral for tomorrow");
    let sent = client.send(&Fax::pdf("+12125550142", pdf.clone())).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    let job = sent.json();
    let id = job["id"].as_str().expect("id").to_owned();
    assert_eq!(sent.header("location"), format!("/fax/{id}"));
    assert_eq!(job["to"], "+12125550142");
    assert_eq!(
        (&job["backend"], &job["owner"], &job["pages"]),
        (&"phaxio".into(), &"clinic".into(), &3.into())
    );
    assert!(job["created_at"].as_str().expect("time").ends_with('Z'));

    let done = client.reaches(&id, "SUCCESS").await;
    assert_eq!(
        (&done["error"], &done["pages"], &done["attempts"]),
        (&serde_json::Value::Null, &3.into(), &1.into())
    );
    let fax = installation.provider.fax_of(&id).await;
    assert_eq!(done["provider_sid"], fax["id"].to_string());
    assert_eq!(fax["to"], "+12125550142");
    assert_eq!(
        installation.provider.content(&fax["id"].to_string()).await,
        pdf,
        "a PDF is sent as it came"
    );
    let fetch = &fax["fetches"][0];
    assert_eq!(fetch["outcome"], "ok");
    assert!(
        fetch["url"]
            .as_str()
            .expect("url")
            .starts_with(&installation.public_url())
    );

    let text = client
        .accepted(&Fax::text(
            "+12125550143",
            "Dear colleague,\n\nzwölf Boxkämpfer – 12 €\n",
        ))
        .await;
    let done = client.reaches(&text, "SUCCESS").await;
    assert_eq!(done["media_type"], "text/plain");
    let fax = installation.provider.fax_of(&text).await;
    assert!(
        installation
            .provider
            .content(&fax["id"].to_string())
            .await
            .starts_with(b"%PDF-")
    );

    let timeline = client.timeline(&id).await;
    let order = ["accepted", "submitting", "submitted", "delivered"];
    let places: Vec<usize> = order
        .iter()
        .map(|word| timeline.iter().position(|e| e == word).expect(word))
        .collect();
    assert!(places.is_sorted(), "{timeline:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_callback_shape_and_both_signatures_are_understood() {
    let shapes = [
        WebhookVersion::V1,
        WebhookVersion::V2,
        WebhookVersion::V2_1,
        WebhookVersion::Flat,
    ];
    for (n, version) in shapes.into_iter().enumerate() {
        for scheme in [Scheme::Sha1, Scheme::Sha256] {
            let mut setup = Setup::new();
            setup.provider.webhook_version = version;
            setup.provider.signature = scheme;
            // Without polls, only a callback can end a fax.
            setup.set("dispatch.poll_after_seconds", 3600.0);
            let installation = setup.start().await;
            let good = installation
                .admin
                .accepted(&Fax::pdf(&format!("+1212555010{n}"), documents::pdf(1, "x")))
                .await;
            // Faxbot's fields have no place for what is told of a recipient only.
            let end = if version == WebhookVersion::Flat {
                "9912"
            } else {
                "9917"
            };
            let busy = installation
                .admin
                .accepted(&Fax::pdf(&format!("+1212555{end}"), documents::pdf(1, "x")))
                .await;
            installation.admin.reaches(&good, "SUCCESS").await;
            let failed = installation.admin.reaches(&busy, "FAILED").await;
            assert_eq!(
                failed["error_type"], "lineError",
                "{version:?} {scheme:?} {failed}"
            );
            assert!(!failed["error"].as_str().expect("words").is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tiff_is_what_the_far_machine_prints() {
    let installation = TestInstallation::start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(3, "Printed there")))
        .await;
    let tiff = installation.admin.get(&format!("/fax/{id}/tiff")).await;
    assert_eq!(
        (tiff.status.as_u16(), tiff.header("content-type")),
        (200, "image/tiff"),
        "{}",
        tiff.text()
    );
    let file = installation.folder().join("fax.tiff");
    std::fs::write(&file, &tiff.body).expect("file");
    let Ok(seen) = std::process::Command::new("tiffinfo").arg(&file).output() else {
        eprintln!("skipped: tiffinfo is not installed (package libtiff-tools)");
        return;
    };
    let seen = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert_eq!(seen.matches("CCITT Group 4").count(), 3, "{seen}");
    assert_eq!(seen.matches("Image Width: 1728").count(), 3, "{seen}");
    assert_eq!(seen.matches("Resolution: 204, 196").count(), 3, "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_serve_whole_documents_and_parts_until_they_expire() {
    let mut setup = Setup::new();
    setup.provider.completion = std::time::Duration::from_secs(600);
    let installation = setup.start().await;
    let pdf = documents::pdf_of_size(2, "ranged", 300_000);
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", pdf.clone()))
        .await;
    let fax = installation.provider.fax_of(&id).await;
    let link = fax["content_urls"][0].as_str().expect("link").to_owned();
    let anybody = installation.admin.without_key();
    for _ in 0..2 {
        let whole = anybody.get(&link).await;
        assert_eq!(
            (whole.status.as_u16(), whole.header("content-type")),
            (200, "application/pdf")
        );
        assert_eq!(whole.body, pdf);
        assert_eq!(whole.header("accept-ranges"), "bytes");
    }
    let head = anybody.ask(anybody.request(http::Method::HEAD, &link)).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), pdf.len().to_string());
    let size = pdf.len();
    for (asked, from, to) in [
        ("bytes=0-99".to_owned(), 0, 100),
        (format!("bytes={}-", size - 10), size - 10, size),
        ("bytes=-10".to_owned(), size - 10, size),
        (format!("bytes=100000-{}", size * 2), 100_000, size),
    ] {
        let part = anybody
            .ask(anybody.request(http::Method::GET, &link).header("range", &asked))
            .await;
        assert_eq!(part.status, 206, "{asked}");
        assert_eq!(part.body, pdf[from..to], "{asked}");
        assert_eq!(
            part.header("content-range"),
            format!("bytes {from}-{}/{size}", to - 1)
        );
    }
    let beyond = anybody
        .ask(
            anybody
                .request(http::Method::GET, &link)
                .header("range", "bytes=9999999-"),
        )
        .await;
    assert_eq!(beyond.status, 416);

    let (path, token) = link.split_once("token=").expect("token");
    let mut forged = token.to_owned();
    let last = forged.pop().expect("not empty");
    forged.push(if last == 'A' { 'B' } else { 'A' });
    for bad in [
        forged.as_str(),
        "x",
        &token[1..],
        &format!("{token}A"),
        &token.repeat(50),
    ] {
        anybody.get(&format!("{path}token={bad}")).await.problem(403);
    }
    let other = installation.admin.accepted(&Fax::pdf("+12125550143", pdf)).await;
    anybody
        .get(&format!("/fax/{other}/pdf?token={token}"))
        .await
        .problem(403);
    anybody
        .get(&format!("/inbound/{id}/pdf?token={token}"))
        .await
        .problem(403);
    anybody.get(&format!("/fax/{id}/pdf")).await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_link_is_refused() {
    let mut setup = Setup::new();
    setup.set("tokens.pdf_ttl_minutes", 0.02);
    setup.provider.completion = std::time::Duration::from_secs(600);
    let installation = setup.start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "soon gone")))
        .await;
    let link = installation.provider.fax_of(&id).await["content_urls"][0]
        .as_str()
        .expect("link")
        .to_owned();
    let anybody = installation.admin.without_key();
    faxgate_testkit::wait::until_equal("the link to expire", 403, || async {
        anybody.get(&link).await.status.as_u16()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sender_asks_for_is_passed_on() {
    let installation = TestInstallation::start().await;
    let fax = Fax::pdf("(212) 555-0142", documents::pdf(1, "options"))
        .field("header_text", "From the clinic")
        .field("tag[department]", "radiology");
    let id = installation.admin.accepted(&fax).await;
    let seen = installation.provider.fax_of(&id).await;
    assert_eq!(seen["header_text"], "From the clinic");
    assert_eq!(seen["tags"]["department"], "radiology");
    assert_eq!(seen["tags"]["faxgate_job"], id.as_str());
    let job = installation.admin.job(&id).await;
    assert_eq!(
        (&job["to"], &job["to_raw"]),
        (&"+12125550142".into(), &"(212) 555-0142".into())
    );
    assert_eq!(job["tags"]["department"], "radiology");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_service_keeps_and_never_sends() {
    let mut setup = Setup::new();
    setup.set("disabled", true);
    let installation = setup.start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "kept")))
        .await;
    assert_eq!(installation.admin.job(&id).await["status"], "disabled");
    assert_eq!(installation.provider.faxes().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_resending_and_destroying() {
    let mut setup = Setup::new();
    setup.provider.completion = std::time::Duration::from_secs(600);
    let installation = setup.start().await;
    let client = installation.sender("clinic").await;
    let id = client
        .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "cancel me")))
        .await;
    installation.provider.fax_of(&id).await;
    client.delete(&format!("/fax/{id}")).await.problem(409);
    assert_eq!(
        client
            .post(&format!("/fax/{id}/cancel"), &serde_json::json!({}))
            .await
            .status,
        202
    );
    let done = client.reaches(&id, "FAILED").await;
    assert_eq!(done["error_type"], "cancelled");
    client
        .post(&format!("/fax/{id}/cancel"), &serde_json::json!({}))
        .await
        .problem(409);

    let again = client
        .post(
            &format!("/fax/{id}/resend"),
            &serde_json::json!({ "to": "+12125550199" }),
        )
        .await;
    assert_eq!(again.status, 202, "{}", again.text());
    let again = again.json();
    assert_eq!(
        (&again["resend_of"], &again["to"]),
        (&id.as_str().into(), &"+12125550199".into())
    );

    assert_eq!(client.delete(&format!("/fax/{id}")).await.status, 204);
    client.get(&format!("/fax/{id}/pdf")).await.problem(410);
    client
        .post(&format!("/fax/{id}/resend"), &serde_json::json!({}))
        .await
        .problem(410);
    assert_eq!(client.job(&id).await["status"], "FAILED", "the record stays");
    let twin = again["id"].as_str().expect("id");
    assert_eq!(
        client.get(&format!("/fax/{twin}/pdf")).await.status,
        200,
        "the twin keeps its own document"
    );
}
