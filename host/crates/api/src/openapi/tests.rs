//! The description and the server say the same: the document against the routes, the answers and the rules of OpenAPI.

use std::collections::BTreeSet;

use super::*;
use crate::routes;
use crate::tests::installation::{ROOT_KEY, TestInstallation, get, get_as, json as read};

fn described() -> Value {
    let table = routes::table();
    document(table.iter().map(|route| (&route.method, &route.rule)))
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let document = described();
    let described: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            methods
                .as_object()
                .unwrap()
                .keys()
                .map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let routed: BTreeSet<String> = routes::table()
        .iter()
        .map(|route| format!("{} {}", route.method, route.rule.path))
        .collect();
    assert_eq!(described, routed);
}

#[test]
fn ids_are_unique_and_references_lead_somewhere() {
    let document = described();
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{method} {path}"
            );
            assert!(
                operation["responses"]
                    .as_object()
                    .unwrap()
                    .keys()
                    .any(|status| status.starts_with('2'))
            );
            let named = operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|it| it["in"] == "path")
                .count();
            assert_eq!(named, path.matches('{').count(), "{path}");
        }
    }
    let mut found = 0;
    visit(&document, &mut |reference| {
        found += 1;
        assert!(
            document.pointer(reference.trim_start_matches('#')).is_some(),
            "{reference}"
        );
    });
    assert!(found > 50);
}

fn visit(value: &Value, each: &mut impl FnMut(&str)) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                each(reference);
            }
            object.values().for_each(|value| visit(value, each));
        }
        Value::Array(array) => array.iter().for_each(|value| visit(value, each)),
        _ => {}
    }
}

#[test]
fn links_lead_to_operations() {
    let document = described();
    let operations: Vec<&Value> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values())
        .collect();
    let mut found = 0;
    for operation in &operations {
        let responses = operation["responses"].as_object().unwrap().values();
        let links = responses.filter_map(|response| response["links"].as_object());
        for link in links.flat_map(|links| links.values()) {
            let target = operations
                .iter()
                .find(|other| other["operationId"] == link["operationId"]);
            let parameters = &target.unwrap()["parameters"];
            for name in link["parameters"].as_object().unwrap().keys() {
                assert!(
                    parameters
                        .as_array()
                        .unwrap()
                        .iter()
                        .any(|it| it["name"] == name.as_str())
                );
            }
            found += 1;
        }
    }
    assert!(found > 10);
}

#[test]
fn examples_have_what_their_schemas_ask_for() {
    let schemas = &described()["components"]["schemas"];
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<BTreeSet<_>>()
    };
    for (name, example) in examples::all() {
        let schema = &schemas[&name];
        assert_eq!(schema["examples"][0], example, "{name}");
        let known = keys(&schema["properties"]);
        assert!(keys(&example).is_subset(&known), "{name}");
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for field in &required {
            assert!(keys(&example).contains(field.as_str().unwrap()), "{name} {field}");
        }
    }
    for kind in Kind::EVERY {
        assert!(!examples::problem(kind)["detail"].as_str().unwrap().is_empty());
    }
}

#[test]
fn every_response_names_its_request_and_every_limit_is_told() {
    let document = described();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                let headers = response["headers"].as_object().unwrap();
                assert!(headers.contains_key("x-request-id"), "{method} {path} {status}");
                if status == "429" {
                    for name in ["Retry-After", "RateLimit", "RateLimit-Policy"] {
                        assert!(headers.contains_key(name), "{method} {path} {name}");
                    }
                }
            }
        }
    }
}

/// What the server answers has exactly the properties that the description promises.
#[tokio::test]
async fn answers_have_the_described_shape() {
    let test = TestInstallation::new().await;
    let id = test.fax("bootstrap", b"%PDF-1.7").await;
    let document = described();
    for (path, schema) in [
        (format!("/fax/{id}"), "FaxJob"),
        ("/fax".to_owned(), "FaxList"),
        ("/admin/api-keys".to_owned(), "KeyList"),
        ("/admin/plugins".to_owned(), "PluginList"),
        ("/admin/audit".to_owned(), "AuditList"),
        ("/admin/health-status".to_owned(), "HealthStatus"),
        ("/health".to_owned(), "Ok"),
        ("/health/ready".to_owned(), "Readiness"),
        ("/nothing".to_owned(), "Problem"),
    ] {
        let answer = read(test.ask(get_as(ROOT_KEY, &path)).await).await;
        let keys = |value: &Value| {
            value
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        let promised = keys(&document["components"]["schemas"][schema]["properties"]);
        assert_eq!(keys(&answer), promised, "{path}");
    }
}

#[tokio::test]
async fn the_description_is_open_to_everybody() {
    let test = TestInstallation::new().await;
    let served = read(test.ask(get("/openapi.json")).await).await;
    assert_eq!(served["openapi"], "3.1.0");
    assert_eq!(served["paths"]["/fax"]["post"]["x-scope"], "fax:send");
}
