//! /parked: the form that sends again or drops what was given up at a destination: one notification, or all.

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::page::{Page, Tab};
use super::silence::{read, shown, token_field};
use super::{address, parts};
use crate::store::{Kept, Store, Wanted};
use crate::web::Web;
use crate::web::answer::Fault;
use crate::web::api::{notifications, token};

/// Which are meant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    destination: String,
    /// All without it.
    sequence: String,
}

/// What is wrong, or what came of it.
#[derive(Default)]
struct Said {
    whole: Vec<String>,
    token: Vec<String>,
}

/// GET /parked?destination=&sequence=
pub async fn show(State(web): State<Web>, headers: HeaderMap, uri: Uri) -> Response {
    let asked = Query::try_from_uri(&uri).map(|Query(asked)| asked).unwrap_or_default();
    page(&web, &headers, asked, StatusCode::OK, Said::default()).await
}

/// POST /parked: 303 to the notifications, or the form with what is wrong.
pub async fn submit(State(web): State<Web>, headers: HeaderMap, request: Request) -> Response {
    let pairs = match read(request.into_body()).await {
        Ok(pairs) => pairs,
        Err(fault) => {
            let said = Said { whole: vec![fault.error], ..Said::default() };
            return page(&web, &headers, Asked::default(), fault.status, said).await;
        }
    };
    let value =
        |name: &str| pairs.iter().rev().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let asked =
        Asked { destination: value("destination").to_owned(), sequence: value("sequence").to_owned() };
    if let Err(fault) = token::check(&web, Some(value("token")), "it is `web.token` of the configuration") {
        return page(
            &web,
            &headers,
            asked,
            fault.status,
            Said { token: vec![fault.error], ..Said::default() },
        )
        .await;
    }
    match done(&web, &asked, value("do")).await {
        Ok(()) => Redirect::to("/notifications").into_response(),
        Err(fault) => {
            let whole = vec![format!("{}. {}.", fault.error, fault.hint)];
            page(&web, &headers, asked, fault.status, Said { whole, ..Said::default() }).await
        }
    }
}

async fn done(web: &Web, asked: &Asked, action: &str) -> Result<(), Fault> {
    let sequence = match asked.sequence.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| nothing_parked())?),
    };
    match action {
        "resend" => {
            let answer = notifications::send_again(web, asked.destination.clone(), sequence).await?;
            match (answer.resent, answer.outdated) {
                (0, 0) => Err(nothing_parked()),
                (0, _) => Err(Fault::new(
                    StatusCode::CONFLICT,
                    "the alarm has moved on since: telling this now would say what is not so",
                    "drop it, or leave it until it is forgotten",
                )),
                _ => Ok(()),
            }
        }
        "drop" => match notifications::forget(web, asked.destination.clone(), sequence).await?.dropped {
            0 => Err(nothing_parked()),
            _ => Ok(()),
        },
        _ => Err(Fault::new(StatusCode::BAD_REQUEST, "it is not said what to do", "use one of the buttons")),
    }
}

fn nothing_parked() -> Fault {
    let hint = "somebody else may have sent or dropped it meanwhile";
    Fault::new(StatusCode::NOT_FOUND, "no such notification is kept there any more", hint)
}

async fn page(web: &Web, headers: &HeaderMap, asked: Asked, status: StatusCode, said: Said) -> Response {
    let wanted = asked.clone();
    let kept = web.store.call(move |store| Ok(kept(store, &wanted))).await.unwrap_or_default();
    let status = if kept.is_empty() && status == StatusCode::OK { StatusCode::NOT_FOUND } else { status };
    let content = html! {
        p.crumbs { a href="/notifications" { "Notifications" } " /" }
        h1 { "Given up for " (asked.destination) }
        @if !said.whole.is_empty() { p.notice role="alert" { (said.whole.join(" ")) } }
        @if kept.is_empty() {
            p.nothing { "Nothing like that is kept: it was sent again, dropped or forgotten meanwhile." }
        } @else {
            ul.choices { @for one in kept.iter().take(SHOWN) { (item(one)) } }
            @if kept.len() > SHOWN { p.note { "and more" } }
            (form(web, &asked, &said))
        }
    };
    shown(headers, &Page::form(Tab::Notifications, "Given up", status, content))
}

/// How many are named.
const SHOWN: usize = 10;

fn kept(store: &Store, asked: &Asked) -> Vec<Kept> {
    let after = match asked.sequence.as_str() {
        "" => None,
        text => match text.parse::<u64>() {
            // The first of all has no number before it.
            Ok(sequence) => sequence.checked_sub(1),
            Err(_) => return Vec::new(),
        },
    };
    let limit = if asked.sequence.is_empty() { SHOWN + 1 } else { 1 };
    let wanted = Wanted { destination: Some(asked.destination.clone()), after, limit, ..Wanted::default() };
    let mut kept = store.parked(&wanted).unwrap_or_default();
    kept.retain(|one| asked.sequence.is_empty() || one.entry.sequence.to_string() == asked.sequence);
    kept
}

fn item(kept: &Kept) -> Markup {
    let (entry, notification) = (&kept.entry, &kept.entry.notification);
    html! {
        li {
            a href=(address::alarm(&notification.alarm)) { (notification.event.line(&notification.alarm)) }
            @if let Some((reason, at)) = &kept.parked { " · " span.bad { (reason.replace('_', " ")) } " " (parts::ago(*at)) }
            @if let Some(answer) = &entry.answer { p.note { (answer) } }
        }
    }
}

fn form(web: &Web, asked: &Asked, said: &Said) -> Markup {
    html! {
        form.sheet method="post" action="/parked" {
            p { "What is sent again goes out behind what waits, as the same notification. What its alarm has made untrue stays." }
            input type="hidden" name="destination" value=(asked.destination);
            input type="hidden" name="sequence" value=(asked.sequence);
            (token_field(web, &said.token))
            p.actions {
                button.primary name="do" value="resend" { "Send again" }
                button name="do" value="drop" { "Drop" }
                a href="/notifications" { "Cancel" }
            }
        }
    }
}
