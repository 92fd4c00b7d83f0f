//! Owns the functions that a statement calls, and the ways to call one that do not look so; leaves which are harmless to `functions`.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, DataType, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectName, ObjectNamePart, Value, ValueWithSpan,
};

use crate::error::Error;
use crate::url::Backend;

use super::StatementKind;
use super::functions::{Known, acts_as_attribute, known};
use super::names::part;
use super::scanning::{PieceKind, pieces};
use super::walk::Walk;

/// Names of PostgreSQL's types beside those in its catalog.
const ALIASES: [(&str, &str); 10] = [
    ("int", "int4"),
    ("integer", "int4"),
    ("bigint", "int8"),
    ("smallint", "int2"),
    ("decimal", "numeric"),
    ("real", "float4"),
    ("float", "float8"),
    ("double", "float8"),
    ("boolean", "bool"),
    ("character", "bpchar"),
];

impl Walk {
    pub(super) fn call(
        &mut self,
        name: &ObjectName,
        arguments: Option<&FunctionArguments>,
    ) -> ControlFlow<()> {
        let mut parts = Vec::with_capacity(name.0.len());
        for name in &name.0 {
            match name {
                ObjectNamePart::Identifier(name) => {
                    parts.push(part(&name.value, name.quote_style.is_some(), self.backend));
                }
                ObjectNamePart::Function(_) => {
                    let error = Error::invalid(format!("the function's name {name} can't be read"));
                    self.error.get_or_insert(error);
                    return ControlFlow::Break(());
                }
            }
        }
        // Another schema in front of a function is never taken away: `public.lower` is not `lower`.
        let is_plain = parts.len() == 1;
        if parts.len() == 2 && parts.first().is_some_and(|schema| schema == "pg_catalog") {
            parts.remove(0);
        }
        let called = parts.join(".");
        if self.backend == Backend::Postgresql && called.eq_ignore_ascii_case("only") {
            return self.fail("ONLY is not to be had: what is granted is a table with its partitions and children");
        }
        let known = match self.sequence(&called, arguments) {
            Some(known) => known,
            None => known(&called, self.backend),
        };
        match known {
            Known::Harmless => {}
            Known::TouchesSession => self.footprint.touches_session = true,
            Known::NeedsTransaction => self.footprint.needs_transaction = true,
            Known::No => {
                self.footprint.touches_session = true;
                self.footprint.unknown_functions.insert(called.clone());
            }
        }
        if is_plain && known != Known::No && self.backend == Backend::Postgresql {
            self.footprint.mentions.insert(called.clone());
        }
        self.footprint.functions.insert(called);
        ControlFlow::Continue(())
    }

    /// A sequence is a table of its own to PostgreSQL. Which one is meant must stand in the text.
    fn sequence(&mut self, called: &str, arguments: Option<&FunctionArguments>) -> Option<Known> {
        if self.backend != Backend::Postgresql
            || !["nextval", "setval", "currval"].contains(&called)
        {
            return None;
        }
        let Some(sequence) = arguments.and_then(first_text).and_then(named) else {
            return Some(Known::No);
        };
        if called == "currval" {
            self.footprint.reads.insert(sequence);
            return Some(Known::NeedsTransaction);
        }
        self.footprint.writes.insert(sequence);
        if self.footprint.kind == StatementKind::Query {
            self.footprint.kind = StatementKind::Write;
        }
        Some(Known::Harmless)
    }

    /// `t.f` is a column of `t` or, where there is none, `f(t)`.
    pub(super) fn mention_attributes<'a>(&mut self, names: impl Iterator<Item = &'a Ident>) {
        if self.backend != Backend::Postgresql {
            return;
        }
        for name in names {
            let name = part(&name.value, name.quote_style.is_some(), self.backend);
            if acts_as_attribute(&name) {
                self.footprint.touches_session = true;
                self.footprint.functions.insert(name.clone());
                self.footprint.unknown_functions.insert(name);
            } else {
                self.footprint.mentions.insert(name);
            }
        }
    }

    /// What has a syntax of its own is a function or an operator all the same, and somebody may have added another of its name.
    pub(super) fn mention_syntax(&mut self, expression: &Expr) {
        let names: &[&str] = match expression {
            Expr::Ceil { .. } => &["ceil", "ceiling"],
            Expr::Floor { .. } => &["floor"],
            Expr::Position { .. } => &["position", "strpos"],
            Expr::Substring { .. } => &["substring", "substr"],
            Expr::Overlay { .. } => &["overlay"],
            Expr::Trim { .. } => &["trim", "btrim", "ltrim", "rtrim"],
            Expr::Extract { .. } => &["extract", "date_part"],
            Expr::Convert { .. } => &["convert"],
            Expr::AtTimeZone { .. } => &["timezone"],
            Expr::Like { .. } => &["~~", "!~~", "like_escape"],
            Expr::ILike { .. } => &["~~*", "!~~*", "like_escape"],
            Expr::SimilarTo { .. } => &["~", "!~", "similar_escape", "similar_to_escape"],
            Expr::BinaryOp {
                op: BinaryOperator::NotEq,
                ..
            } => &["<>"],
            Expr::InList { .. } | Expr::InSubquery { .. } | Expr::Case { .. } => &["=", "<>"],
            Expr::Between { .. } => &["<=", ">=", "<", ">"],
            Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => &["="],
            _ => return,
        };
        if self.backend == Backend::Postgresql {
            let names = names.iter().map(|name| (*name).to_owned());
            self.footprint.mentions.extend(names);
        }
    }

    /// A cast to a type that somebody has added may call a function of theirs.
    pub(super) fn mention_type(&mut self, data_type: &DataType) {
        if self.backend != Backend::Postgresql {
            return;
        }
        let written = data_type.to_string();
        let Ok(pieces) = pieces(&written, self.backend) else {
            return;
        };
        for piece in pieces {
            let Some(name) = piece.name(self.backend) else {
                continue;
            };
            let aliases = ALIASES.iter().filter(|(alias, _)| *alias == name);
            let own = aliases.map(|(_, own)| (*own).to_owned());
            self.footprint.mentions.extend(own);
            self.footprint.mentions.insert(name);
        }
    }
}

/// The text that a function's first argument is, as `'s'` or `'s'::regclass`.
fn first_text(arguments: &FunctionArguments) -> Option<&str> {
    let FunctionArguments::List(list) = arguments else {
        return None;
    };
    let FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) = list.args.first()? else {
        return None;
    };
    let value = match expression {
        Expr::Value(value) => value,
        Expr::Cast {
            expr, data_type, ..
        } if data_type.to_string().eq_ignore_ascii_case("regclass") => match expr.as_ref() {
            Expr::Value(value) => value,
            _ => return None,
        },
        _ => return None,
    };
    match value {
        ValueWithSpan {
            value: Value::SingleQuotedString(text),
            ..
        } => Some(text),
        _ => None,
    }
}

/// A relation's name as `regclass` reads it.
fn named(text: &str) -> Option<String> {
    let mut parts = Vec::new();
    for (at, piece) in pieces(text, Backend::Postgresql).ok()?.iter().enumerate() {
        match piece.kind {
            PieceKind::Word | PieceKind::Quoted if at % 2 == 0 => {
                parts.push(piece.name(Backend::Postgresql)?);
            }
            PieceKind::Mark if at % 2 == 1 && piece.text == "." => {}
            _ => return None,
        }
    }
    if parts.len() == 2 && parts.first().is_some_and(|schema| schema == "public") {
        parts.remove(0);
    }
    (!parts.is_empty()).then(|| parts.join("."))
}
