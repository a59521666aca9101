//! Composite alarms, over the alerts of the alarms they look at: `ALERTS{alertstate="firing"}`, which Prometheus keeps itself.
//!
//! A part of the expression is a vector with a value where it is true: one without labels when the alarm is one, else with those of
//! the queues for which it is. Alerts must therefore be evaluated after those they look at, in one group.

use super::datapoint::Subject;
use super::promql::{self, Expr, number};
use super::queues::Queues;
use super::{Cannot, Subjects};
use crate::config::Config;
use crate::domain::alarm::State;
use crate::domain::composite::{AtLeast, Composite, Expression, Scope};
use crate::domain::rule::Rule;

/// The expression of a composite alarm; `subjects` are the alarms that were said before it.
///
/// # Errors
/// Why there is none.
pub fn expression(
    config: &Config,
    rule: &Rule,
    composite: &Composite,
    subjects: &Subjects,
    notes: &mut Vec<String>,
) -> Result<String, Cannot> {
    let all = match composite.scope {
        Scope::Whole => Expr::closed("vector(1)"),
        Scope::EachQueue => Queues::of(&rule.selector, config)?.all(),
    };
    let part = Parts { all, scope: composite.scope, subjects };
    let firing = part.of(&composite.expression)?;
    notes.push(
        "It looks at alerts: while a child has no data, it counts as not firing, and so as OK.".to_owned(),
    );
    if composite.suppressor.is_some() {
        notes.push(
            "`actions_suppressor` is not in here: write it as an `inhibit_rules` entry of Alertmanager."
                .to_owned(),
        );
    }
    Ok(match composite.scope {
        Scope::Whole => firing.text().to_owned(),
        Scope::EachQueue => Expr::lines("and", &[firing, part.all]).text().to_owned(),
    })
}

struct Parts<'a> {
    /// Everything the alarm can be true of.
    all: Expr,
    scope: Scope,
    subjects: &'a Subjects,
}

impl Parts<'_> {
    fn of(&self, expression: &Expression) -> Result<Expr, Cannot> {
        Ok(match expression {
            Expression::Constant(true) => self.all.clone(),
            Expression::Constant(false) => self.all.also("unless", &self.all),
            Expression::Is(state, name) => self.is(*state, name)?,
            Expression::Not(inner) => self.not(&self.of(inner)?),
            Expression::And(parts) => Expr::lines("and", &self.each(parts)?),
            Expression::Or(parts) => Expr::lines("or", &self.each(parts)?),
            Expression::AtLeast(at_least) => self.at_least(at_least)?,
        })
    }

    fn each(&self, parts: &[Expression]) -> Result<Vec<Expr>, Cannot> {
        parts.iter().map(|part| self.of(part)).collect()
    }

    fn not(&self, of: &Expr) -> Expr {
        self.all.also("unless", of)
    }

    fn is(&self, state: State, name: &std::sync::Arc<str>) -> Result<Expr, Cannot> {
        match state {
            State::Alarm => self.fires(name),
            State::Ok => Ok(self.not(&self.fires(name)?)),
            State::InsufficientData => Err(Cannot::State(name.clone())),
        }
    }

    /// Where the alarm fires: on the same queue when both judge queues, else as a whole.
    fn fires(&self, name: &std::sync::Arc<str>) -> Result<Expr, Cannot> {
        let subject = self.subjects.get(name).ok_or_else(|| Cannot::Child(name.clone()))?;
        let alerts = format!("ALERTS{{alertname={}, alertstate=\"firing\"}}", promql::quoted(name));
        Ok(match (self.scope, subject) {
            (Scope::EachQueue, Subject::Queue) => Subject::Queue.once(&alerts),
            (Scope::EachQueue, _) => self.all.also("and on ()", &Expr::closed(alerts)),
            (Scope::Whole, _) => Expr::closed(format!("max({alerts})")),
        })
    }

    fn at_least(&self, at_least: &AtLeast) -> Result<Expr, Cannot> {
        let zero = Expr::tight(format!("0 * {}", self.all.operand()));
        let one = |name| {
            let is = self.is(at_least.state, name)?;
            let is = if at_least.negated { self.not(&is) } else { is };
            // Whatever its value was, it counts as 1.
            let counted = Expr::tight(format!("0 * {} + 1", is.operand()));
            Ok(counted.also("or", &zero).operand())
        };
        let each: Vec<String> = at_least.names.iter().map(one).collect::<Result<_, Cannot>>()?;
        let enough = at_least.quorum.of(at_least.names.len());
        Ok(Expr::tight(each.join("\n  + ")).with(">=", &number(enough as f64)))
    }
}
