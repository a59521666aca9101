//! STS: who a caller is, and roles of other accounts.

use super::call::{Answer, Call};
use super::clock;
use super::form::Form;
use super::message::uuid;
use super::refusal::Refusal;
use super::shared::{Shared, lock};
use super::topic::timestamp;
use super::wire::escape;

const SESSION: i64 = 3_600_000;

/// Answers one call.
pub fn answer(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    match call.operation.as_str() {
        "GetCallerIdentity" => Ok(get_caller_identity(shared, call)),
        "AssumeRole" => assume_role(shared, &Form::read(&call.body)),
        operation => Err(Refusal::unknown_operation(operation)),
    }
}

fn get_caller_identity(shared: &Shared, call: &Call) -> Answer {
    let account = &call.caller.account;
    let session = call.access_key.as_ref().and_then(|key| lock(&shared.cloud).sessions.get(key).cloned());
    let arn = session.unwrap_or_else(|| format!("arn:aws:iam::{account}:user/sqswatch"));
    let arn = escape(&arn);
    let account = escape(account);
    Answer::Xml(format!("<Arn>{arn}</Arn><UserId>AIDASQSWATCHSIMULATOR</UserId><Account>{account}</Account>"))
}

/// Gives credentials whose access key tells the role's account.
fn assume_role(shared: &Shared, form: &Form) -> Result<Answer, Refusal> {
    let role_arn = form.required("RoleArn")?;
    let session_name = form.required("RoleSessionName")?;
    let mut parts = role_arn.splitn(6, ':');
    let account = parts.nth(4).unwrap_or_default();
    let role = parts.next().and_then(|resource| resource.strip_prefix("role/")).unwrap_or_default();
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) || role.is_empty() {
        return Err(Refusal::new("ValidationError", "ValidationError", format!("{role_arn} is invalid")));
    }
    let arn = format!("arn:aws:sts::{account}:assumed-role/{role}/{session_name}");
    let mut cloud = lock(&shared.cloud);
    let suffix: String = (0..4).map(|_| cloud.random.uppercase()).collect();
    let access_key = format!("ASIA{account}{suffix}");
    let secret = uuid(&mut cloud.random);
    cloud.sessions.insert(access_key.clone(), arn.clone());
    let expiration = timestamp(clock::now() + SESSION);
    let arn = escape(&arn);
    Ok(Answer::Xml(format!(
        "<Credentials><AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>\
         <SessionToken>simulated</SessionToken><Expiration>{expiration}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>AROASQSWATCH:session</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>"
    )))
}
