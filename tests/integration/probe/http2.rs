//! Checks over HTTP/2, from the file to nginx.

use std::fs;

use crate::probe::tls_client::TlsNginx;
use crate::support::probe::*;
use vpp_maglev::probe::ThreadResources;

#[tokio::test]
async fn nginx_answers_over_http2() {
    let Some(nginx) = TlsNginx::start().await else { return };
    let shared = ThreadResources::new();
    let token = nginx.path("token");
    fs::write(&token, "secret\n").unwrap();
    let in_file =
        format!("headers: {{X-Probe: {{file: {token}}}}}, response-regexp: '[|]secret[|]'");
    let long = "path: /large, response-regexp: '\\A(ready\n)+read\\z'".replace('\n', "\\n");
    for (params, expected) in [
        ("response-regexp: '^HTTP/2.0[|]h2[|][|]127.0.0.1[|]GET$'", "L7OK 200 OK"),
        ("host: www.example.org, response-regexp: '[|]www.example.org[|]'", "L7OK 200 OK"),
        ("headers: {X-Probe: a b}, response-regexp: '[|]a b[|]'", "L7OK 200 OK"),
        (&*in_file, "L7OK 200 OK"),
        ("path: /post, method: POST, body: '{}', response-regexp: '^POST 2$'", "L7OK 200 OK"),
        ("method: HEAD", "L7OK 200 OK"),
        ("path: /large", "L7OK 200 OK"),
        (&*long, "L7OK 200 OK"),
        ("response-header: {name: X-Status, regexp: ^fit$}", "L7OK 200 OK"),
        (
            "response-header: {name: X-Status, regexp: ^ill$}",
            "L7CNT status 200, but its header X-Status does not match",
        ),
        (
            "response-header: {name: X-None, regexp: .}",
            "L7CNT status 200, but it has no header X-None",
        ),
        ("response-regexp: ^no$", "L7CNT status 200, but its body (26 bytes) does not match"),
        ("path: /maintenance", "L7STS 503"),
        ("path: /maintenance, response-code: [200, 503]", "L7OK 503"),
    ] {
        let keys = nginx.keys(nginx.http2, &format!("http2: true, {params}"));
        assert_eq!(found(&keys, &shared).await, expected, "{params}");
    }
    // The server does not speak it, or speaks something else altogether.
    let old = found(&nginx.keys(nginx.old, "http2: true"), &shared).await;
    assert_eq!(old, "L6RSP TLS: tlsv1 alert no application protocol");
    let log = fs::read_to_string(nginx.path("error.log")).unwrap();
    assert!(!log.contains("[error]"), "{log}");
}
