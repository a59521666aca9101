//! /silence: the form that silences alarms, and the one that ends a silence before its time. Plain forms: they need no script.
//!
//! The token is asked for by a password field and goes into the body of the request alone: never into an address, a log or
//! a page.

mod end;
mod form;
mod wanted;

use axum::body::Body;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

pub use end::{end, show as show_end};
use form::Form;

use super::page::{Page, Tab};
use super::{answer, shell};
use crate::config;
use crate::web::Web;
use crate::web::answer::Fault;
use crate::web::api::silences::{self, body};
use crate::web::api::token;

/// Where somebody is sent who came from nowhere.
const HOME: &str = "/alarms";
/// What the page says where the token is.
const TOKEN_HINT: &str = "it is `web.token` of the configuration";

/// GET /silence
pub async fn show(State(web): State<Web>, headers: HeaderMap, uri: Uri) -> Response {
    let mut form: Form = Query::try_from_uri(&uri).map(|Query(form)| form).unwrap_or_default();
    form.back = came_from(&headers).unwrap_or_default();
    page(&web, &headers, StatusCode::OK, &form)
}

/// POST /silence: 303 to where the form was asked for, or the form with all its faults.
pub async fn submit(State(web): State<Web>, headers: HeaderMap, request: Request) -> Response {
    let mut form = match read(request.into_body()).await {
        Ok(pairs) => Form::of(pairs),
        Err(fault) => return page(&web, &headers, fault.status, &Form::faulty(&fault)),
    };
    let now = silences::now();
    let allowed = token::check(&web, Some(&form.token), TOKEN_HINT);
    let wanted = config::silence(form.wanted().to_string().as_bytes(), now);
    form.token.clear();
    let status = match (allowed, wanted) {
        (Ok(()), Ok(wanted)) => match silences::make(&web, wanted, now).await {
            Ok(_) => return Redirect::to(&format!("{}#silenced", local(&form.back))).into_response(),
            Err(fault) => form.note(&fault),
        },
        (allowed, wanted) => {
            wanted.err().iter().flatten().for_each(|fault| form.note_field(fault));
            allowed.err().map_or(StatusCode::BAD_REQUEST, |fault| form.note_token(&fault))
        }
    };
    page(&web, &headers, status, &form)
}

fn page(web: &Web, headers: &HeaderMap, status: StatusCode, form: &Form) -> Response {
    shown(headers, &Page::form(Tab::Alarms, "Silence alarms", status, form.show(web)))
}

/// A form as an answer.
pub(super) fn shown(headers: &HeaderMap, page: &Page) -> Response {
    answer(page.status, headers, shell::shell(page, "").into_string())
}

/// The fields of a form that was sent, bounded in size and patience.
///
/// # Errors
/// 413 or 408.
pub(super) async fn read(body_of: Body) -> Result<Vec<(String, String)>, Fault> {
    let bytes = body(body_of).await?;
    Ok(form_urlencoded::parse(&bytes).into_owned().collect())
}

/// The page of ours that the browser was at; not a form like this.
pub(super) fn came_from(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let referer: Uri = text(header::REFERER)?.parse().ok()?;
    let is_ours = referer.authority().map(|authority| authority.as_str()) == text(header::HOST);
    let path = referer.path_and_query()?.as_str();
    let is_form = path.starts_with("/silence") || path.starts_with("/parked");
    (is_ours && !is_form).then(|| path.to_owned())
}

/// `back` where it is a path of ours, so that the form sends nobody elsewhere.
pub(super) fn local(back: &str) -> &str {
    let is_path = back.starts_with('/') && !back.starts_with("//") && back.len() <= 4096;
    let is_plain = back.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    if is_path && is_plain { back } else { HOME }
}

/// The field of the token, and why there is none.
pub(super) fn token_field(web: &Web, faults: &[String]) -> Markup {
    html! {
        @if web.config.load().web.token.is_none() {
            p.notice {
                "The configuration has no " code { "web.token" } ", so nothing can be changed from here. Set it, e.g. "
                code { "web: { token: { env: SQSWATCH_TOKEN } }" } ", and reload with SIGHUP."
            }
        } @else {
            (field("token", "Token", faults, html! {
                input #token type="password" name="token" autocomplete="current-password" required
                    aria-invalid=[(!faults.is_empty()).then_some("true")] aria-describedby="token-says";
            }, html! { code { "web.token" } " of the configuration" }))
        }
    }
}

/// A labelled input with its faults and a hint; the input's id is `name`.
pub(super) fn field(name: &str, label: &str, faults: &[String], input: Markup, hint: Markup) -> Markup {
    html! {
        div.field .faulty[!faults.is_empty()] {
            label for=(name) { (label) }
            (input)
            div #{ (name) "-says" } {
                @for fault in faults { p.fault { (fault) } }
                p.hint { (hint) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
