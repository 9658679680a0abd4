//! Who may look, who may operate, and that the page is not what decides it.

use serde_json::json;

use super::bed::WebBed;
use super::page::Page;
use super::users::PASSWORD;

/// Asks for a pause as the page would, with these headers.
const FORGED: &str = "const [headers] = args;
    const body = { action: 'pause', daemons: ['lb1'], backend: 'nginx0', why: 'forged' };
    const answer = await fetch('./api/actions', { method: 'POST', body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...headers } });
    return [answer.status, (await answer.json()).error.code];";

#[tokio::test]
async fn a_wrong_password_is_refused_and_a_right_one_operates_until_the_logout() {
    let bed = WebBed::with_users(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.sees("dialog[open] h2", "Log in").await;
    assert_eq!(page.count("tr.row").await, 0, "nothing is shown before");
    page.fill("[name=name]", "ann").await;
    page.fill("[name=password]", "wrong").await;
    page.click("[type=submit]").await;
    page.sees("dialog .failure", "").await;
    let kept = page.run("return document.querySelector('[name=password]').value;").await;
    assert_eq!(kept, "", "what was wrong is typed anew");
    page.log_in("ann", PASSWORD).await;
    page.sees(".who", "ann (operator)").await;
    page.go("#/backend/nginx0").await;
    page.until("document.querySelectorAll('[data-action]').length > 2").await;
    // The session outlives the document.
    page.reload().await;
    page.until("document.querySelectorAll('[data-action]').length > 2").await;
    page.click(".who button").await;
    page.sees("dialog[open] h2", "Log in").await;
    let status = page.run("return (await fetch('./api/state')).status;").await;
    assert_eq!(status, 401);
    page.assert_quiet(&["401"]).await;
}

#[tokio::test]
async fn a_viewer_gets_no_buttons_and_a_forged_request_is_refused() {
    let bed = WebBed::with_users(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.log_in("bob", PASSWORD).await;
    page.sees(".who", "bob (viewer)").await;
    for (view, whole) in
        [("#/backend/nginx0", ".strip li"), ("#/frontend/v4", ".chain li"), ("#/vpp", ".vips tr")]
    {
        page.go(view).await;
        page.until(&format!("document.querySelector('{whole}')")).await;
        assert_eq!(page.count("[data-action]").await, 0, "{view}");
    }
    let token = page.run("return (await (await fetch('./api/session')).json()).token;").await;
    let refused = page.run_with(FORGED, &[json!({ "X-Maglev-Token": token })]).await;
    assert_eq!(refused, json!([403, "forbidden"]), "with the viewer's own token");
    bed.assert_serves_as_configured();
    page.assert_quiet(&["403"]).await;
}

#[tokio::test]
async fn an_operators_request_without_the_sessions_token_is_refused() {
    let bed = WebBed::with_users(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.log_in("ann", PASSWORD).await;
    for token in [json!({}), json!({ "X-Maglev-Token": "guessed" })] {
        let refused = page.run_with(FORGED, &[token]).await;
        assert_eq!(refused, json!([403, "forged"]));
    }
    bed.assert_serves_as_configured();
    page.assert_quiet(&["403"]).await;
}

#[tokio::test]
async fn without_a_login_the_page_is_for_viewing_and_says_so() {
    let bed = WebBed::start(1).await;
    let Some(page) = Page::open(&bed.url()).await else { return };
    page.sees(".who", "for viewing only").await;
    page.go("#/backend/nginx0").await;
    page.sees(".strip li", "L7OK").await;
    assert_eq!(page.count("[data-action]").await, 0);
    let refused = page.run_with(FORGED, &[json!({})]).await;
    assert_eq!(refused[0], json!(403), "{refused}");
    bed.assert_serves_as_configured();
    page.assert_quiet(&["403"]).await;
}
