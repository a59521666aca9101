//! `aws`: where and as whom AWS is asked.

use std::collections::BTreeMap;

use super::shape;
use crate::config::file::Value;
use crate::config::reader::{Cursor, Section, quoted};
use crate::config::{Aws, TargetConfig, keys};

/// Reads the section.
pub fn read(section: &Section<'_>) -> Aws {
    let endpoint = section.get("endpoint_url");
    Aws {
        targets: targets(section, endpoint.is_some()),
        endpoint_url: endpoint.and_then(|cursor| endpoint_url(&cursor)),
    }
}

/// Never quotes the address: it may hold a password, which is one of the faults.
fn endpoint_url(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    let Some(url) = shape::address(text) else {
        cursor.refuse_with("is no http or https address", "it looks like `http://localhost:9324`");
        return None;
    };
    if !url.username().is_empty() || url.password().is_some() {
        cursor.refuse_with(
            "holds a user name or password",
            "requests are signed with the SDK's credentials instead",
        );
        return None;
    }
    if url.query().is_some() || url.fragment().is_some() {
        cursor.refuse("has a query or fragment");
        return None;
    }
    Some(text.to_owned())
}

fn targets(section: &Section<'_>, own_server: bool) -> Vec<TargetConfig> {
    let Some(list) = section.get("targets") else { return vec![TargetConfig::default()] };
    let items = list.items();
    if matches!(list.value, Value::List(list) if list.is_empty()) {
        list.refuse_with("is an empty list", "leave it out for the SDK's own identity and region");
    }
    let mut seen = BTreeMap::new();
    let mut targets = Vec::new();
    for item in items {
        let faults = item.report.count();
        let target = target(&item.section(&keys::TARGET), own_server);
        if item.report.count() > faults {
            continue;
        }
        for region in regions_or_default(&target) {
            let identity = (target.role_arn.clone(), region.clone());
            if let Some(first) = seen.insert(identity, item.path.clone()) {
                let region = if region.is_empty() { "the SDK's region".to_owned() } else { quoted(&region) };
                item.refuse(format!(
                    "has the identity of {first} and {region} again: its queues would count twice"
                ));
            }
        }
        targets.push(target);
    }
    targets
}

fn regions_or_default(target: &TargetConfig) -> Vec<String> {
    if target.regions.is_empty() { vec![String::new()] } else { target.regions.clone() }
}

fn target(section: &Section<'_>, own_server: bool) -> TargetConfig {
    let external_id = section.get("external_id");
    let role = section.get("role_arn");
    if let (Some(cursor), None) = (&external_id, &role) {
        cursor.refuse_with("has no meaning without `role_arn`", "the role it belongs to is missing");
    }
    TargetConfig {
        regions: section.distinct("regions", |item| shape::region(item, own_server)),
        role_arn: role.and_then(|cursor| shape::role_arn(&cursor)),
        external_id: external_id.and_then(|cursor| self::external_id(&cursor)),
    }
}

/// STS's rule for ExternalId: 2 to 1,224 of these characters.
fn external_id(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    let well_formed = (2..=1224).contains(&text.len()) && text.chars().all(allowed);
    if !well_formed {
        cursor.refuse("is no external id: 2 to 1224 letters, digits and `_+=,.@:/-`");
    }
    well_formed.then(|| text.to_owned())
}
