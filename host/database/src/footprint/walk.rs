//! Owns walking a parsed statement for the tables and functions it names; leaves lexing to `lexing` and lists to `functions`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Cte, Expr, Function, FunctionArguments, ObjectName, Query, Select, SetExpr, Statement,
    TableFactor, Value, ValueWithSpan, Visit, Visitor,
};
use sqlparser::parser::Parser;

use crate::error::Error;
use crate::url::Backend;

use super::functions::{Known, known};
use super::lexing::{Text, dialect, placeholder};
use super::names::{fold, home_schema};
use super::refusals::refusal;
use super::{Footprint, StatementKind};

/// Levels of nested expressions, subqueries and parentheses.
const MAX_NESTING: usize = 50;

pub(super) fn read(text: Text, backend: Backend) -> Result<Footprint, Error> {
    let parameters = text.parameters;
    let statements = Parser::new(dialect(backend))
        .with_recursion_limit(MAX_NESTING)
        .with_tokens_with_locations(text.tokens)
        .parse_statements()
        .map_err(|error| {
            Error::invalid(format!(
                "the statement can't be read: {}",
                error.to_string().trim_start_matches("sql parser error: ")
            ))
        })?;
    let mut statements = statements.into_iter();
    let statement = match (statements.next(), statements.next()) {
        (Some(statement), None) => statement,
        (None, _) => return Err(Error::invalid("the SQL text holds no statement")),
        (Some(_), Some(_)) => {
            return Err(Error::invalid(
                "the SQL text holds several statements: run them one by one",
            ));
        }
    };
    let mut walk = Walk::new(backend, parameters);
    walk.top(&statement)?;
    let _ = statement.visit(&mut walk);
    walk.finish()
}

/// One `WITH`: the names that can be seen, and those still to come, each with its query.
struct Scope {
    visible: BTreeSet<String>,
    coming: Vec<(*const Query, String)>,
}

pub(super) struct Walk {
    pub(super) backend: Backend,
    pub(super) footprint: Footprint,
    scopes: Vec<Scope>,
    /// Names met by the visitor as relations that are accounted for already: written tables, table functions.
    seen: Vec<*const ObjectName>,
    locks: bool,
    /// What the top statement is; only there may DDL stand.
    pub(super) ddl: bool,
    error: Option<Error>,
}

impl Walk {
    fn new(backend: Backend, parameters: u32) -> Self {
        let footprint = Footprint {
            kind: StatementKind::Query,
            reads: BTreeSet::new(),
            writes: BTreeSet::new(),
            functions: BTreeSet::new(),
            unknown_functions: BTreeSet::new(),
            touches_session: false,
            needs_transaction: false,
            inserts: false,
            parameters,
            indexes: BTreeSet::new(),
        };
        Self {
            backend,
            footprint,
            scopes: Vec::new(),
            seen: Vec::new(),
            locks: false,
            ddl: false,
            error: None,
        }
    }

    fn finish(mut self) -> Result<Footprint, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.locks {
            // Whoever may only read a table may not hold up those who write it.
            self.footprint
                .writes
                .extend(self.footprint.reads.iter().cloned());
            self.footprint.kind = StatementKind::Write;
        }
        Ok(self.footprint)
    }

    pub(super) fn fail(&mut self, message: impl Into<String>) -> ControlFlow<()> {
        self.error.get_or_insert(Error::invalid(message));
        ControlFlow::Break(())
    }

    /// Notes a table that is written, and that the visitor will meet its name.
    pub(super) fn write(&mut self, name: &ObjectName) {
        match self.name(name) {
            Ok(table) => {
                self.footprint.writes.insert(table);
                self.seen.push(std::ptr::from_ref(name));
            }
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
    }

    fn call(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let mut called = match self.name(name) {
            Ok(called) => called,
            Err(error) => {
                self.error.get_or_insert(error);
                return ControlFlow::Break(());
            }
        };
        // A schema in front of a function is never taken away: `public.lower` is not `lower`.
        if name.0.len() > 1 {
            called = name
                .0
                .iter()
                .map(|part| part.to_string().trim_matches('"').to_ascii_lowercase())
                .collect::<Vec<_>>()
                .join(".");
            if let Some(plain) = called.strip_prefix("pg_catalog.") {
                called = plain.to_owned();
            }
        }
        match known(&called, self.backend) {
            Known::Harmless => {}
            Known::TouchesSession => self.footprint.touches_session = true,
            Known::NeedsTransaction => self.footprint.needs_transaction = true,
            Known::No => {
                self.footprint.touches_session = true;
                self.footprint.unknown_functions.insert(called.clone());
            }
        }
        self.footprint.functions.insert(called);
        ControlFlow::Continue(())
    }

    fn read_table(&mut self, name: &ObjectName) -> ControlFlow<()> {
        match self.name(name) {
            Ok(table) => {
                let is_cte = name.0.len() == 1
                    && self
                        .scopes
                        .iter()
                        .any(|scope| scope.visible.contains(&table));
                if !is_cte {
                    self.footprint.reads.insert(table);
                }
                ControlFlow::Continue(())
            }
            Err(error) => {
                self.error.get_or_insert(error);
                ControlFlow::Break(())
            }
        }
    }

    /// `TABLE name`, which the visitor does not take for a relation.
    fn table_command(&mut self, body: &SetExpr) {
        let mut rest = vec![body];
        while let Some(body) = rest.pop() {
            match body {
                SetExpr::SetOperation { left, right, .. } => {
                    rest.extend([left.as_ref(), right.as_ref()])
                }
                SetExpr::Table(table) => {
                    // The parser drops the quotes here, so the name is counted both ways.
                    let schema = table
                        .schema_name
                        .as_deref()
                        .filter(|schema| *schema != home_schema(self.backend));
                    if let Some(name) = &table.table_name {
                        let name = schema
                            .map_or_else(|| name.clone(), |schema| format!("{schema}.{name}"));
                        self.footprint.reads.insert(name.to_ascii_lowercase());
                        self.footprint.reads.insert(name);
                    }
                }
                _ => {}
            }
        }
    }
}

impl Visitor for Walk {
    type Break = ();

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        match statement {
            Statement::Query(_) | Statement::Explain { .. } => ControlFlow::Continue(()),
            Statement::Insert(insert) => self.insert(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Merge(merge) => {
                self.begin_write();
                self.target(&merge.table)
            }
            Statement::CreateTable(_)
            | Statement::CreateIndex(_)
            | Statement::AlterTable(_)
            | Statement::AlterIndex { .. }
            | Statement::Drop { .. }
                if self.ddl =>
            {
                ControlFlow::Continue(())
            }
            other => self.fail(refusal(other)),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if !query.locks.is_empty() {
            self.locks = true;
        }
        if query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
            || !query.pipe_operators.is_empty()
        {
            return self.fail("the query can't be read");
        }
        // `FOR UPDATE OF alias` names what FROM has named already.
        self.seen.extend(
            query
                .locks
                .iter()
                .filter_map(|lock| lock.of.as_ref())
                .map(std::ptr::from_ref),
        );
        if let Some(with) = &query.with {
            let name = |cte: &Cte| {
                fold(
                    &cte.alias.name.value,
                    cte.alias.name.quote_style.is_some(),
                    self.backend,
                )
            };
            let coming = with
                .cte_tables
                .iter()
                .map(|cte| (std::ptr::from_ref(cte.query.as_ref()), name(cte)))
                .collect::<Vec<_>>();
            let visible = if with.recursive {
                coming.iter().map(|(_, name)| name.clone()).collect()
            } else {
                BTreeSet::new()
            };
            self.scopes.push(Scope { visible, coming });
        }
        self.table_command(&query.body);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if query.with.is_some() {
            self.scopes.pop();
        }
        // A name can be seen from the end of its own query on.
        if let Some(scope) = self.scopes.last_mut()
            && let Some(at) = scope
                .coming
                .iter()
                .position(|(address, _)| std::ptr::eq(*address, query))
        {
            let (_, name) = scope.coming.swap_remove(at);
            scope.visible.insert(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if select.into.is_some() {
            return self
                .fail("SELECT INTO makes a table: create it in a migration, and INSERT … SELECT");
        }
        if !select.lateral_views.is_empty() || !select.connect_by.is_empty() {
            return self.fail("the query can't be read");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table {
                name,
                args: Some(_),
                ..
            } => {
                self.seen.push(std::ptr::from_ref(name));
                self.call(name)
            }
            TableFactor::Function { name, .. } => self.call(name),
            TableFactor::Table { .. }
            | TableFactor::Derived { .. }
            | TableFactor::NestedJoin { .. }
            | TableFactor::UNNEST { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::XmlTable { .. } => ControlFlow::Continue(()),
            _ => self.fail("the FROM clause can't be read"),
        }
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        if self.seen.iter().any(|seen| std::ptr::eq(*seen, relation)) {
            return ControlFlow::Continue(());
        }
        self.read_table(relation)
    }

    /// The parser makes placeholders of its own out of `:name` and `@name`.
    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        match &value.value {
            Value::Placeholder(name) => match placeholder(name) {
                Ok(_) => ControlFlow::Continue(()),
                Err(error) => {
                    self.error.get_or_insert(error);
                    ControlFlow::Break(())
                }
            },
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(Function { name, args, .. }) => {
                // `f(SELECT …)` without inner parentheses is another dialect's.
                if matches!(args, FunctionArguments::Subquery(_)) && self.backend == Backend::Sqlite
                {
                    return self
                        .fail("a subquery as an argument is written in parentheses of its own");
                }
                self.call(name)
            }
            Expr::MatchAgainst { .. } | Expr::Lambda(_) => {
                self.fail("the expression can't be read")
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
