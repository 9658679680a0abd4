//! `api/actions` and `api/forecast`: what operators do, and what it would come to.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::info;

use super::body::json_body;
use crate::domain::web::access::WebPermission;
use crate::domain::web::forecasts::ForecastError;
use crate::domain::web::sessions::hexadecimal;
use crate::web::actions::{self, ActionBody, AskedAction};
use crate::web::caller::{WebCaller, check_post};
use crate::web::password::random;
use crate::web::reply::{JsonReply, WebError};
use crate::web::server::WebServer;
use crate::web::session_keeper::{AddForecast, TakeForecast};

pub(super) async fn act(
    State(server): State<WebServer>,
    caller: WebCaller,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    check_post(&headers, &uri)?;
    // Before the token: who may not operate is told that, and needs no token for it.
    caller.may(&server, WebPermission::Operate)?;
    caller.check_token(&headers)?;
    let body: ActionBody = json_body(&headers, &body)?;
    let forecast = body.forecast.clone();
    let asked = AskedAction::new(&server, body, Some(caller.name()))?;
    if asked.needs_forecast() {
        take_forecast(&server, &asked, forecast).await?;
    }
    // A browser that is gone, or a proxy that has waited long enough, ends nothing halfway.
    let acting = tokio::spawn(actions::act(server.clone(), asked));
    let answer = acting.await.map_err(|_| WebError::stopping())?;
    for result in answer.results() {
        let (daemon, outcome, said) = (&result.daemon, result.outcome, &result.message);
        let (user, action, why) = (caller.name(), answer.action(), answer.why());
        info!(user, action, daemon, outcome, said, why, "operated");
    }
    Ok(JsonReply::of(&answer.to_json()).into_response())
}

async fn take_forecast(
    server: &WebServer,
    asked: &AskedAction,
    forecast: Option<String>,
) -> Result<(), WebError> {
    let Some(id) = forecast else {
        return Err(WebError::bad_request("a sync or a reload needs the id of its forecast")
            .remedy("post the same to api/forecast first, and look at it"));
    };
    let taken = server.sessions.send(TakeForecast { id, what: asked.described() }).await?;
    taken.map_err(|error: ForecastError| {
        WebError::new(StatusCode::CONFLICT, "conflict", error.to_string())
            .remedy("post the same to api/forecast again, and look at it")
    })
}

pub(super) async fn forecast(
    State(server): State<WebServer>,
    caller: WebCaller,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, WebError> {
    check_post(&headers, &uri)?;
    caller.may(&server, WebPermission::Look)?;
    // Without a login there is no token, and a forecast changes nothing.
    if caller.user.is_some() {
        caller.check_token(&headers)?;
    }
    let body: ActionBody = json_body(&headers, &body)?;
    let asked = AskedAction::new(&server, body, None)?;
    let (action, what) = (asked.action(), asked.described());
    let busy = |_| WebError::too_many("many forecasts are made at this moment", 2);
    let _place = server.forecasts.try_acquire().map_err(busy)?;
    let results = actions::forecast(&server, asked).await;
    let failed = |error: std::io::Error| {
        WebError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", error.to_string())
    };
    let id = hexadecimal(&random::<16>().map_err(failed)?);
    server.sessions.send(AddForecast { id: id.clone(), what }).await?;
    let answer = json!({ "id": id, "action": action, "results": results });
    Ok(JsonReply::of(&answer).into_response())
}
