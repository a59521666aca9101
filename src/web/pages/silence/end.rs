//! /silence/{id}: one silence, and the form that ends it before its time.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::{TOKEN_HINT, came_from, local, read, shown, token_field};
use crate::clock;
use crate::domain::silence::{Phase, Silence};
use crate::domain::time::Timestamp;
use crate::web::Web;
use crate::web::api::{silences, token};
use crate::web::pages::page::{Page, Tab};
use crate::web::pages::parts;

/// What is wrong with what was asked.
#[derive(Default)]
struct Faults {
    whole: Vec<String>,
    token: Vec<String>,
}

/// GET /silence/{id}
pub async fn show(State(web): State<Web>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let back = came_from(&headers).unwrap_or_default();
    page(&web, &headers, &id, &back, (StatusCode::OK, Faults::default()))
}

/// POST /silence/{id}: 303 to where the form was asked for, or the form with what is wrong.
pub async fn end(
    State(web): State<Web>,
    Path(id): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let pairs = match read(request.into_body()).await {
        Ok(pairs) => pairs,
        Err(fault) => {
            let faults = Faults { whole: vec![fault.error], token: Vec::new() };
            return page(&web, &headers, &id, "", (fault.status, faults));
        }
    };
    let value =
        |name: &str| pairs.iter().rev().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let back = value("back").to_owned();
    if let Err(fault) = token::check(&web, Some(value("token")), TOKEN_HINT) {
        let faults = Faults { whole: Vec::new(), token: vec![fault.error] };
        return page(&web, &headers, &id, &back, (fault.status, faults));
    }
    match silences::end_now(&web, id.clone(), silences::now()).await {
        Ok(_) => Redirect::to(&format!("{}#silenced", local(&back))).into_response(),
        Err(fault) => {
            let faults =
                Faults { whole: vec![format!("{}. {}.", fault.error, fault.hint)], token: Vec::new() };
            page(&web, &headers, &id, &back, (fault.status, faults))
        }
    }
}

fn page(
    web: &Web,
    headers: &HeaderMap,
    id: &str,
    back: &str,
    (status, faults): (StatusCode, Faults),
) -> Response {
    let (silences, now) = (web.board.silences(), clock::now());
    let silence = silences.recorded(now).find(|silence| *silence.id == *id);
    let status = if silence.is_none() && status == StatusCode::OK { StatusCode::NOT_FOUND } else { status };
    let content = html! {
        p.crumbs { a href="/alarms" { "Alarms" } " /" }
        h1 { "Silence " (id) }
        @if !faults.whole.is_empty() {
            p.notice role="alert" { (faults.whole.join(" ")) }
        }
        @match silence {
            None => p.nothing { "There is no such silence: it ended more than a week ago, or never was." },
            Some(silence) => { (facts(silence, now)) @if silence.phase(now) != Phase::Expired { (form(web, silence, back, &faults)) } }
        }
    };
    shown(headers, &Page::form(Tab::Alarms, format!("Silence {id}"), status, content))
}

fn facts(silence: &Silence, now: Timestamp) -> Markup {
    html! {
        dl.terms {
            div { dt { "Alarms" } dd { (silence.matchers) } }
            div { dt { "Reason" } dd { (silence.reason) } }
            div { dt { "Asked for by" } dd { (silence.author) } }
            div { dt { "From" } dd { (parts::clock(silence.starts)) } }
            div { dt { "Until" } dd { (parts::clock(silence.ends)) @if silence.phase(now) == Phase::Expired { " (it is over)" } } }
        }
    }
}

fn form(web: &Web, silence: &Silence, back: &str, faults: &Faults) -> Markup {
    html! {
        form.sheet method="post" action=(crate::web::pages::address::silence_end(&silence.id)) {
            p { "Ends now; alarms it means that fire are told within seconds." }
            (token_field(web, &faults.token))
            input type="hidden" name="back" value=(back);
            p.actions { button.primary { "End the silence" } a href=(local(back)) { "Cancel" } }
        }
    }
}
