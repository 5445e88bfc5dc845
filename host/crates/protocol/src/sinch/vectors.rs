//! Worked requests and answers, for the tests of everybody who speaks the format. All ids, numbers and texts are
//! invented. The number of each stands in its name.

/// Job that the vectors are about.
pub const JOB_A: &str = "01kb7q0000000000000000000a";
/// Another job.
pub const JOB_B: &str = "01kb7q0000000000000000000b";
/// Fax of [`JOB_A`].
pub const FAX_A: &str = "01M48HBGK0T8XW2ZC4D6F1H0J5";
/// Fax of [`JOB_B`].
pub const FAX_B: &str = "01M48HBJHGY0Z1A2B3C4D5E6F7";
/// A received fax.
pub const RECEIVED: &str = "01M48NNDNRC1D2E3F4G5H6J7K8";
/// A document, 14 bytes.
pub const DOCUMENT: &[u8] = b"%PDF-1.4\nfake\n";
/// [`DOCUMENT`] in base64.
pub const DOCUMENT_BASE64: &str = "JVBERi0xLjQKZmFrZQo=";
/// Address that the provider reports to.
pub const CALLBACK_URL: &str =
    "https://faxgate:hook-demo-9@fax.example.org/sinch-callback?job_id=01kb7q0000000000000000000a&token=TA";
/// Address that the provider fetches the document from. `TF` stands for a secret.
pub const CONTENT_URL: &str = "https://fax.example.org/fax/01kb7q0000000000000000000a/pdf?token=TF";

/// Answer of the token endpoint.
pub const V1_TOKEN: &str = r#"{"access_token":"h.p.s","expires_in":3599,"scope":"","token_type":"bearer"}"#;

/// A request with the document in it.
pub const V2_CREATE: &str = r#"{"to":"+15550100001","from":"+15550100999","files":[{"file":"JVBERi0xLjQKZmFrZQo=","fileType":"PDF"}],"headerText":"Clinic Nord","maxRetries":2,"retryDelaySeconds":60,"resolution":"FINE","labels":{"faxgate_job":"01kb7q0000000000000000000a","ward":"4b"},"callbackUrl":"https://faxgate:hook-demo-9@fax.example.org/sinch-callback?job_id=01kb7q0000000000000000000a&token=TA","callbackUrlContentType":"multipart/form-data"}"#;

/// Answer to [`V2_CREATE`].
pub const V2_CREATED: &str = r#"{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","direction":"OUTBOUND","from":"+15550100999","to":"+15550100001","status":"IN_PROGRESS","numberOfPages":0,"retryCount":0,"createTime":"2026-10-06T12:00:01Z","labels":{"faxgate_job":"01kb7q0000000000000000000a","ward":"4b"},"callbackUrl":"https://***:***@fax.example.org/sinch-callback?job_id=01kb7q0000000000000000000a&token=TA","serviceId":"01M4871WQRS0S1S2S3S4S5S6S7","hasFile":true}"#;

/// Answer to a request with a content URL.
pub const V3_CREATED: &str = r#"{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","direction":"OUTBOUND","from":"+15550100999","to":"+15550100001","contentUrl":["https://fax.example.org/fax/01kb7q0000000000000000000a/pdf?token=TF"],"status":"IN_PROGRESS","numberOfPages":0,"retryCount":0,"createTime":"2026-10-06T12:00:01Z","labels":{"faxgate_job":"01kb7q0000000000000000000a"},"callbackUrl":"https://***:***@fax.example.org/sinch-callback?job_id=01kb7q0000000000000000000a&token=TA","hasFile":false}"#;

/// An answer without labels.
pub const V4_LABELS_LOST: &str = r#"{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","status":"IN_PROGRESS","callbackUrl":"https://***:***@fax.example.org/sinch-callback?job_id=01kb7q0000000000000000000a&token=TA"}"#;

/// Answers of other shapes: a list of one, a list of two, one without an id, one that has failed already.
pub const V5_ANSWERS: [&str; 4] = [
    r#"{"faxes":[{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","status":"QUEUED"}]}"#,
    r#"{"faxes":[{"id":"01M48HBJHGY0Z1A2B3C4D5E6F7","status":"QUEUED","labels":{"faxgate_job":"01kb7q0000000000000000000b"}},{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","status":"QUEUED","labels":{"faxgate_job":"01kb7q0000000000000000000a"}}]}"#,
    r#"{"status":"QUEUED"}"#,
    r#"{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","status":"FAILURE","errorType":"FAX_ERROR","errorCode":46,"errorMessage":"funds"}"#,
];

/// Refusals: HTTP status, `WWW-Authenticate`, body.
pub const V6_REFUSALS: [(u16, &str, &str); 6] = [
    (
        422,
        "",
        r#"{"code":"422","error":"Unprocessable Entity","message":"from +15550100999 is not yours","details":{"fieldViolations":[{"field":"from","description":"not assigned to a fax service"}]}}"#,
    ),
    (
        400,
        "",
        r#"{"code":"404","error":"Bad Request","message":"no content"}"#,
    ),
    (
        402,
        "",
        r#"{"code":"402","error":"Payment Required","message":"balance"}"#,
    ),
    (
        401,
        r#"Bearer error="invalid_token", error_description="token expired""#,
        "",
    ),
    (429, "", ""),
    (
        404,
        "",
        r#"{"error":{"code":404,"message":"project","status":"NOT_FOUND"}}"#,
    ),
];

/// Query of a look-up.
pub const V7_QUERY: &str = "direction=OUTBOUND&createTime%3E=2026-10-06T11%3A45%3A01Z&createTime%3C=2026-10-06T12%3A16%3A01Z&pageSize=1000&page=1";

/// A list with a finished fax of another job and ours.
pub const V7_LIST: &str = r#"{"faxes":[{"id":"01M48HBJHGY0Z1A2B3C4D5E6F7","direction":"OUTBOUND","to":"+15550100001","status":"COMPLETED","createTime":"2026-10-06T12:00:03Z","labels":{"faxgate_job":"01kb7q0000000000000000000b"}},{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","direction":"OUTBOUND","to":"+15550100001","status":"IN_PROGRESS","createTime":"2026-10-06T12:00:01Z","labels":{"faxgate_job":"01kb7q0000000000000000000a"}}],"page":1,"pageSize":1000,"totalItems":2,"totalPages":1}"#;

/// An empty list.
pub const V8_EMPTY: &str = r#"{"faxes":[],"page":1,"pageSize":1000,"totalItems":0,"totalPages":0}"#;

/// A delivered fax.
pub const V9_DELIVERED: &str = r#"{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","direction":"OUTBOUND","to":"+15550100001","status":"COMPLETED","numberOfPages":3,"pagesSentSuccessfully":3,"price":{"currencyCode":"USD","amount":"0.135"},"retryCount":0,"createTime":"2026-10-06T12:00:01Z","completedTime":"2026-10-06T12:00:47Z","hasFile":"true"}"#;

/// Failed faxes.
pub const V10_FAILED: [&str; 7] = [
    r#"{"id":"F","status":"FAILURE","errorType":"CALL_ERROR","errorCode":17,"errorMessage":"Busy","pagesSentSuccessfully":0}"#,
    r#"{"id":"F","status":"FAILURE","errorType":"FAX_ERROR","errorCode":131,"numberOfPages":5,"pagesSentSuccessfully":2}"#,
    r#"{"id":"F","status":"FAILURE","errorType":"LINE_ERROR","errorCode":89}"#,
    r#"{"id":"F","status":"FAILURE","errorType":"DOCUMENT_CONVERSION_ERROR","errorCode":54,"errorMessage":"cannot read https://fax.example.org/fax/01kb7q0000000000000000000a/pdf?token=TF"}"#,
    r#"{"id":"F","status":"FAILURE","errorType":"DOCUMENT_CONVERSION_ERROR","errorCode":133}"#,
    r#"{"id":"F","status":"FAILURE","errorType":"FAX_ERROR","errorCode":133}"#,
    r#"{"id":"F","status":"FAILURE","errorType":"WEATHER_ERROR","errorCode":1}"#,
];

/// A fax with a word that is not in the table.
pub const V10_UNKNOWN: &str = r#"{"id":"F","status":"TELEPORTING"}"#;

/// `Authorization` of the callbacks.
pub const V11_BASIC: &str = "Basic ZmF4Z2F0ZTpob29rLWRlbW8tOQ==";

/// Parts of a callback in multipart, the document left out: `event` with quotes, `fax` as a file.
pub const V11_PARTS: [(&str, &str); 3] = [
    ("event", r#""FAX_COMPLETED""#),
    ("eventTime", "2026-10-06T12:00:48Z"),
    (
        "fax",
        r#"{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","direction":"OUTBOUND","status":"COMPLETED","numberOfPages":3,"labels":{"faxgate_job":"01kb7q0000000000000000000a"}}"#,
    ),
];

/// The same as a whole body; lines end with CR LF but for those of the document.
pub const V11_BODY: &str = "--b7\r\nContent-Disposition: form-data; name=\"event\"\r\nContent-Type: application/json\r\n\r\n\"FAX_COMPLETED\"\r\n--b7\r\nContent-Disposition: form-data; name=\"eventTime\"\r\n\r\n2026-10-06T12:00:48Z\r\n--b7\r\nContent-Disposition: form-data; name=\"fax\"; filename=\"blob\"\r\nContent-Type: application/json\r\n\r\n{\"id\":\"01M48HBGK0T8XW2ZC4D6F1H0J5\",\"direction\":\"OUTBOUND\",\"status\":\"COMPLETED\",\"numberOfPages\":3,\"labels\":{\"faxgate_job\":\"01kb7q0000000000000000000a\"}}\r\n--b7\r\nContent-Disposition: form-data; name=\"file\"; filename=\"fax.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.4\nfake\n\r\n--b7--\r\n";

/// A callback in JSON, and its variants.
pub const V12_JSON: [&str; 5] = [
    r#"{"event":"FAX_COMPLETED","eventTime":"2026-10-06T12:00:48Z","fax":{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","status":"FAILURE","errorType":"CALL_ERROR","errorCode":17},"files":[{"file":"JVBERi0xLjQKZmFrZQo=","fileType":"PDF"}]}"#,
    r#"{"event":"FAX_COMPLETED","eventTime":"2026-10-06T12:00:48Z","fax":{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","status":"FAILURE","errorType":"CALL_ERROR","errorCode":17},"file":"JVBERi0xLjQKZmFrZQo=","fileType":"PDF"}"#,
    r#"{"event":{"fax":{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","status":"FAILURE","errorType":"CALL_ERROR","errorCode":17}},"file":"JVBERi0xLjQKZmFrZQo="}"#,
    r#"{"id":"01M48HBGK0T8XW2ZC4D6F1H0J5","status":"FAILURE","errorType":"CALL_ERROR","errorCode":17,"file":"JVBERi0xLjQKZmFrZQo="}"#,
    r#"{"event":"FAX_COMPLETED","fax":"{\"id\":\"01M48HBGK0T8XW2ZC4D6F1H0J5\",\"status\":\"FAILURE\",\"errorType\":\"CALL_ERROR\",\"errorCode\":17}","file":"JVBERi0xLjQKZmFrZQo="}"#,
];

/// What the API says of a fax that a callback to the address of [`JOB_A`] names: it is of [`JOB_B`].
pub const V13_FOREIGN: &str = r#"{"id":"01M48HH490N6P7Q8R9S0T1V2W3","direction":"OUTBOUND","status":"COMPLETED","labels":{"faxgate_job":"01kb7q0000000000000000000b"}}"#;

/// A callback about a received fax.
pub const V15_INCOMING: &str = r#"{"event":"INCOMING_FAX","eventTime":"2026-10-06T13:15:25Z","fax":{"id":"01M48NNDNRC1D2E3F4G5H6J7K8","direction":"INBOUND","from":"+15550100042","to":"+15550100999","numberOfPages":1,"status":"COMPLETED","createTime":"2026-10-06T13:15:20Z","completedTime":"2026-10-06T13:15:24Z","serviceId":"01M4871WQRS0S1S2S3S4S5S6S7","hasFile":true},"file":"JVBERi0xLjQKZmFrZQo=","fileType":"PDF"}"#;

/// A list of received faxes; the second has no document.
pub const V16_LIST: &str = r#"{"faxes":[{"id":"01M48NNDNRC1D2E3F4G5H6J7K8","direction":"INBOUND","from":"+15550100042","to":"+15550100999","status":"COMPLETED","hasFile":true},{"id":"01M48HCPNRB3C4D5E6F7G8H9J0","direction":"INBOUND","from":"+15550100043","to":"+15550100999","status":"COMPLETED","hasFile":false}],"page":1,"pageSize":1000,"totalItems":2,"totalPages":1}"#;

/// Address of the callbacks about received faxes, as it is configured.
pub const V17_INBOUND_URL: &str = "https://faxgate:hook-demo-9@fax.example.org/sinch-inbound";

/// A service; its address is masked.
pub const V17_SERVICE: &str = r#"{"id":"01M4871WQRS0S1S2S3S4S5S6S7","name":"faxgate","projectId":"7d1f0c52-3b8e-4a6d-9e21-5c0b7a94f3d8","incomingWebhookUrl":"https://***:***@fax.example.org/sinch-inbound","webhookContentType":"multipart/form-data","defaultFrom":"","numberOfRetries":3,"retryDelaySeconds":60,"imageConversionMethod":"HALFTONE","resolution":"FINE","saveInboundFaxDocuments":true,"saveOutboundFaxDocuments":true,"defaultForProject":false}"#;
