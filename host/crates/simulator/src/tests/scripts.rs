//! Behaviour per number and per rule, as seen on the wire.

use super::*;

/// One request to send; the status of the answer and its text, or what went wrong.
async fn create(room: &Room, to: &str) -> Result<(u16, String), String> {
    let response = room
        .http
        .post(room.simulator.url("/v2.1/faxes"))
        .basic_auth("simulated-key", Some("simulated-secret"))
        .form(&[
            ("to", to),
            ("content_url", &room.site.url("/doc.pdf")),
            ("tag[faxgate_job]", JOB),
        ])
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let text = response.text().await.map_err(|error| error.to_string())?;
    Ok((status, text))
}

#[tokio::test]
async fn each_number_is_answered_as_the_table_says() {
    // Digits, status of the answer (none: no answer), faxes afterwards.
    for (digits, status, faxes) in [
        ("9900", None, 1),
        ("9901", None, 0),
        ("9903", Some(200), 1),
        ("9904", None, 1),
        ("9905", Some(200), 1),
        ("9920", Some(200), 0),
        ("9922", Some(422), 0),
        ("9928", Some(429), 0),
        ("9929", Some(429), 0),
        ("9941", Some(401), 0),
        ("9950", Some(500), 1),
        ("9951", Some(500), 0),
        ("9952", Some(502), 0),
        ("9953", Some(503), 0),
        ("9954", Some(502), 1),
        ("9955", Some(503), 0),
        ("9956", Some(504), 1),
        ("9957", Some(503), 1),
        ("0142", Some(200), 1),
    ] {
        let room = Room::new().await;
        let answer = create(&room, &format!("+1212555{digits}")).await;
        assert_eq!(
            answer.as_ref().ok().map(|(status, _)| *status),
            status,
            "{digits}"
        );
        let counts = room.get("/simulator/requests").await;
        assert_eq!(counts["by_job"][JOB]["requests"], 1, "{digits}");
        assert_eq!(counts["by_job"][JOB]["accepted"], faxes, "{digits}");
    }
}

#[tokio::test]
async fn refusals_in_passing_pass_and_others_stay() {
    let room = Room::new().await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(create(&room, "+12125559953").await.unwrap().0);
    }
    assert_eq!(seen, [503, 503, 200, 200]);
    for _ in 0..3 {
        assert_eq!(create(&room, "+12125559922").await.unwrap().0, 422);
    }
}

#[tokio::test]
async fn rules_apply_in_order_as_often_as_told() {
    let room = Room::new().await;
    let to = "+12125550142";
    for rule in [
        json!({ "to": to, "behaviour": "error_500", "times": 1 }),
        json!({ "to": to, "behaviour": ["rate_limit"], "retry_after": 7, "times": 2 }),
        json!({ "behaviour": "unprocessable" }),
    ] {
        room.control("/simulator/script", rule).await;
    }
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(create(&room, to).await.unwrap().0);
    }
    assert_eq!(seen, [500, 429, 429, 422]);
    room.control("/simulator/script", json!({ "clear": true })).await;
    assert_eq!(create(&room, to).await.unwrap().0, 200);
    for bad in [json!({ "behaviour": "telepathy" }), json!({ "behavior": "busy" })] {
        let response = room
            .http
            .post(room.simulator.url("/simulator/script"))
            .json(&bad)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status().as_u16(), 400, "{bad}");
    }
}

#[tokio::test]
async fn each_fate_is_told_as_the_vendor_would() {
    let room = Room::new().await;
    for (digits, status, whole, recipient) in [
        ("9912", "failure", json!(112), json!(112)),
        ("9917", "failure", json!(null), json!(17)),
        ("9931", "partialsuccess", json!(null), json!(null)),
        ("9932", "partialsuccess", json!(null), json!(17)),
        ("9935", "success", json!(null), json!(null)),
        ("9949", "failure", json!(49), json!(49)),
        ("9969", "failure", json!(69), json!(69)),
        ("9990", "success", json!(null), json!(null)),
        ("9991", "failure", json!(9001), json!(9001)),
    ] {
        let id = room.send(&format!("+1212555{digits}")).await;
        let fax = room.finished(id).await;
        assert_eq!(fax["status"], status, "{digits}");
        assert_eq!(fax["error_id"], whole, "{digits}");
        assert_eq!(fax["recipients"][0]["error_id"], recipient, "{digits}");
    }
}

#[tokio::test]
async fn an_unknown_word_is_called_back_before_the_end() {
    let mut room = Room::new().await;
    room.control(
        "/simulator/script",
        json!({ "behaviour": "unknown_status", "status_word": "dreaming" }),
    )
    .await;
    room.send("+12125550142").await;
    assert_eq!(fax_of(&room.site.next().await)["status"], "dreaming");
    assert_eq!(fax_of(&room.site.next().await)["status"], "success");
}

#[tokio::test]
async fn lists_lag_and_single_faxes_do_not() {
    let room = Room::with(|config| config.time_scale = 1.0).await;
    let id = room.send("+12125559970").await;
    let list = format!("/v2.1/faxes?tag[faxgate_job]={JOB}");
    assert_eq!(room.get(&list).await["paging"]["total"], 0);
    assert_eq!(
        room.call(Method::GET, &format!("/v2.1/faxes/{id}"), &[]).await.0,
        200
    );
    room.control("/simulator/clock", json!({ "advance_seconds": 30 }))
        .await;
    assert_eq!(room.get(&list).await["data"][0]["id"].as_u64(), Some(id));
}

#[tokio::test]
async fn a_cancelled_fax_may_complete_all_the_same() {
    let mut room = Room::with(|config| config.time_scale = 1.0).await;
    let id = room.send("+12125559937").await;
    let cancel = format!("/v2.1/faxes/{id}/cancel");
    assert_eq!(room.call(Method::POST, &cancel, &[]).await.0, 200);
    // The fax goes through its stages one after another, each as long as the clock says.
    let fax = loop {
        room.control("/simulator/clock", json!({ "advance_seconds": 4 }))
            .await;
        if let Ok(hit) = room.site.hits.try_recv() {
            break fax_of(&hit);
        }
    };
    assert_eq!(fax["status"], "success");
}

#[tokio::test]
async fn everything_is_forgotten_on_request() {
    let mut room = Room::new().await;
    let stuck = room.send("+12125559936").await;
    room.control("/simulator/reset", json!({})).await;
    assert_eq!(room.get("/simulator/faxes").await["count"], 0);
    assert_eq!(room.get("/simulator/requests").await["by_job"], json!({}));
    let next = room.send("+12125550142").await;
    assert!(next > stuck);
    assert_eq!(fax_of(&room.site.next().await)["id"].as_u64(), Some(next));
}

#[tokio::test]
async fn a_partial_success_divides_the_recipients() {
    let room = Room::new().await;
    let id = room
        .send_with("+12125559931", &[("to", "+12125550142"), ("to", "+12125550143")])
        .await;
    let fax = room.finished(id).await;
    let each: Vec<_> = fax["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|recipient| recipient["status"].clone())
        .collect();
    assert_eq!(each, ["success", "failure", "failure"]);
    assert_eq!(
        (&fax["status"], &fax["cost"]),
        (&json!("partialsuccess"), &json!(14))
    );
}
