//! The vendor's API beside the plain way of a fax.

use super::*;

#[tokio::test]
async fn credentials_travel_as_the_version_wants() {
    let room = Room::new().await;
    let status = async |path: &str| {
        let url = room.simulator.url(path);
        room.http.get(url).send().await.unwrap().status().as_u16()
    };
    let given = "api_key=simulated-key&api_secret=simulated-secret";
    assert_eq!(status("/v2/faxes").await, 401);
    assert_eq!(status(&format!("/v2/faxes?{given}")).await, 200);
    assert_eq!(status(&format!("/v2.1/faxes?{given}")).await, 401);
    assert_eq!(status("/v2.1/public/countries").await, 200);
    assert_eq!(room.call(Method::GET, "/v2.1/account/status", &[]).await.0, 200);
    for (order, wanted) in [
        (json!({ "valid": false }), 401),
        (json!({ "valid": true }), 200),
        (json!({ "api_secret": "changed" }), 401),
    ] {
        room.control("/simulator/credentials", order).await;
        assert_eq!(room.call(Method::GET, "/v2.1/faxes", &[]).await.0, wanted);
    }
}

#[tokio::test]
async fn wrong_requests_are_422_and_make_no_fax() {
    let room = Room::new().await;
    for form in [
        &[("to", "+12125550142")][..],
        &[("content_url", "http://localhost/x.pdf")][..],
        &[("to", "12"), ("content_url", "http://localhost/x.pdf")][..],
    ] {
        let (status, answer) = room.call(Method::POST, "/v2.1/faxes", form).await;
        assert_eq!((status, &answer["success"]), (422, &json!(false)));
        assert!(answer["message"].is_string() && answer.get("data").is_none());
    }
    assert_eq!(room.get("/simulator/faxes").await["count"], 0);
    assert_eq!(room.get("/simulator/requests").await["by_kind"]["create"], 3);
}

#[tokio::test]
async fn what_cannot_be_fetched_fails_with_the_vendors_number() {
    let room = Room::new().await;
    for (url, id) in [
        (room.site.url("/missing"), 54),
        ("http://127.0.0.1:1/x.pdf".to_owned(), 54),
        ("ftp://127.0.0.1/x.pdf".to_owned(), 55),
        (room.site.url("/page.html"), 129),
    ] {
        let (_, answer) = room
            .call(
                Method::POST,
                "/v2/faxes",
                &[("to[]", "2125550142"), ("content_url[]", &url)],
            )
            .await;
        let fax = room.finished(answer["data"]["id"].as_u64().unwrap()).await;
        assert_eq!(
            (&fax["status"], &fax["error_type"], &fax["error_id"], &fax["cost"]),
            (
                &json!("failure"),
                &json!("documentConversionError"),
                &json!(id),
                &json!(0)
            ),
            "{url}"
        );
        assert_eq!(fax["to"], "+12125550142");
    }
}

#[tokio::test]
async fn uploads_are_sent_resent_and_destroyed() {
    let room = Room::new().await;
    let form = reqwest::multipart::Form::new()
        .text("to", "+12125550142")
        .text("tag[order]", "7")
        .part(
            "file",
            reqwest::multipart::Part::bytes(pdf::blank(4)).file_name("a.pdf"),
        );
    let answer: Value = room
        .http
        .post(room.simulator.url("/v2.1/faxes"))
        .basic_auth("simulated-key", Some("simulated-secret"))
        .multipart(form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let id = answer["data"]["id"].as_u64().unwrap();
    let fax = room.finished(id).await;
    assert_eq!((&fax["num_pages"], &fax["cost"]), (&json!(4), &json!(28)));

    let at = |rest: &str| format!("/v2.1/faxes/{id}{rest}");
    let (status, resent) = room.call(Method::POST, &at("/resend"), &[]).await;
    assert_eq!(
        (status, &resent["message"]),
        (200, &json!("Fax queued for resending"))
    );
    let again = room.finished(resent["data"]["id"].as_u64().unwrap()).await;
    assert_eq!(again["tags"], json!({ "order": "7" }));
    assert_ne!(again["id"].as_u64(), Some(id));

    assert_eq!(room.call(Method::GET, &at("/file?thumbnail=x"), &[]).await.0, 422);
    assert_eq!(room.call(Method::GET, &at("/file?thumbnail=s"), &[]).await.0, 200);
    assert_eq!(room.call(Method::DELETE, &at("/file"), &[]).await.0, 200);
    assert_eq!(room.call(Method::GET, &at("/file"), &[]).await.0, 404);
    assert_eq!(room.call(Method::POST, &at("/resend"), &[]).await.0, 422);
    let (_, deleted) = room.call(Method::DELETE, &at(""), &[]).await;
    assert_eq!(
        deleted,
        json!({ "success": true, "message": "Deleted fax successfully!" })
    );
    assert_eq!(room.call(Method::GET, &at(""), &[]).await.0, 404);
}

#[tokio::test]
async fn live_accounts_keep_faxes_and_ignore_simulated_failures() {
    let room = Room::with(|config| config.test_account = false).await;
    let id = room.send_with("+12125550142", &[("test_fail", "faxError")]).await;
    let fax = room.finished(id).await;
    assert_eq!(
        (&fax["status"], &fax["is_test"]),
        (&json!("success"), &json!(false))
    );
    assert_eq!(
        room.call(Method::DELETE, &format!("/v2.1/faxes/{id}"), &[])
            .await
            .0,
        422
    );
    let room = Room::new().await;
    let id = room.send_with("+12125550142", &[("test_fail", "faxError")]).await;
    let fax = room.finished(id).await;
    assert_eq!(fax["recipients"][0]["error_id"], 119);
    let room = Room::with(|config| {
        config.test_account = false;
        config.refuse_test_fail = true;
    })
    .await;
    let form = [
        ("to", "+12125550142"),
        ("content_url", &room.site.url("/doc.pdf")),
        ("test_fail", "faxError"),
    ];
    assert_eq!(room.call(Method::POST, "/v2.1/faxes", &form).await.0, 422);
}

#[tokio::test]
async fn a_fax_that_takes_too_long_is_given_up() {
    let mut room = Room::with(|config| {
        config.time_scale = 1.0;
        config.completion = Duration::ZERO;
    })
    .await;
    let id = room.send_with("+12125559936", &[("cancel_timeout", "3")]).await;
    room.control("/simulator/clock", json!({ "advance_seconds": 180 }))
        .await;
    let fax = fax_of(&room.site.next().await);
    assert_eq!((fax["id"].as_u64(), &fax["error_id"]), (Some(id), &json!(76)));
}

#[tokio::test]
async fn a_batch_waits_for_its_delay() {
    let mut room = Room::with(|config| {
        config.time_scale = 1.0;
        config.completion = Duration::ZERO;
    })
    .await;
    let id = room
        .send_with("+12125550142", &[("batch_delay", "60"), ("header_text", "Hello")])
        .await;
    while room.inside(id).await["status"] != "pendingbatch" {
        tokio::task::yield_now().await;
    }
    room.control("/simulator/clock", json!({ "advance_seconds": 60 }))
        .await;
    assert_eq!(fax_of(&room.site.next().await)["status"], "success");
    assert_eq!(room.inside(id).await["header_text"], "Hello");
}

#[tokio::test]
async fn lists_page_and_filter() {
    let room = Room::new().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(room.send(&format!("+1212555010{number}")).await);
    }
    let page = room.get("/v2.1/faxes?per_page=2&page=2").await;
    assert_eq!(page["paging"], json!({ "total": 5, "per_page": 2, "page": 2 }));
    assert_eq!(page["data"][0]["id"].as_u64(), Some(ids[2]));
    let one = room.get("/v2.1/faxes?phone_number=%2B12125550103").await;
    assert_eq!(one["data"][0]["id"].as_u64(), Some(ids[3]));
    assert_eq!(one["paging"]["total"], 1);
    assert_eq!(
        room.get("/v2.1/faxes?direction=received").await["paging"]["total"],
        0
    );
    assert_eq!(
        room.call(Method::GET, "/v2.1/faxes?created_after=soon", &[])
            .await
            .0,
        422
    );
}

#[tokio::test]
async fn the_rate_is_kept() {
    let room = Room::with(|config| config.requests_per_second = Some(0.001)).await;
    assert_eq!(room.call(Method::GET, "/v2.1/faxes", &[]).await.0, 200);
    let (status, answer) = room.call(Method::GET, "/v2.1/faxes", &[]).await;
    assert_eq!((status, &answer["success"]), (429, &json!(false)));
}

#[tokio::test]
async fn state_outlives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state.json");
    let mut room = Room::with(|config| config.state_file = Some(file.clone())).await;
    let id = room.send("+12125550142").await;
    room.site.next().await;
    room.finished(id).await;
    let Room { simulator, .. } = room;
    simulator.shutdown().await;
    let room = Room::with(|config| config.state_file = Some(file.clone())).await;
    assert_eq!(room.inside(id).await["status"], "success");
    assert!(room.send("+12125550142").await > id);
    room.simulator.shutdown().await;
    std::fs::write(&file, b"{").unwrap();
    let config = SimulatorConfig {
        state_file: Some(file),
        ..SimulatorConfig::default()
    };
    assert!(matches!(
        Simulator::start(config).await,
        Err(SimulatorError::State { .. })
    ));
}
