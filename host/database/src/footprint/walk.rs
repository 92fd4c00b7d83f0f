//! Owns walking a parsed statement for the tables and functions it names; leaves lexing to `lexing` and lists to `functions`.

use std::collections::{BTreeSet, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, Cte, Expr, Function, FunctionArguments, ObjectName, Query, Select, SetExpr,
    Statement, TableFactor, TypedString, Value, ValueWithSpan, Visit, Visitor,
};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use crate::error::Error;
use crate::url::Backend;

use super::lexing::{Text, dialect, placeholder};
use super::names::{home_schema, part};
use super::refusals::{never, refusal};
use super::{Footprint, StatementKind, reserved, unparsed};

/// Levels of nested expressions, subqueries and parentheses.
const MAX_NESTING: usize = 50;

pub(super) fn read(text: Text<'_>, backend: Backend) -> Result<Footprint, Error> {
    if let Some(instead) = never(&text.pieces) {
        return Err(Error::invalid(instead));
    }
    let parameters = text.parameters;
    let mut mentions = BTreeSet::new();
    if backend == Backend::Postgresql {
        mentions.extend(text.operator_names().map(str::to_owned));
        mentions.extend(text.typed_strings());
    }
    let statements = text.tokens.and_then(|tokens| {
        let dialect = dialect(backend, tokens.len());
        let mut parser = Parser::new(dialect.as_ref())
            .with_recursion_limit(MAX_NESTING)
            .with_tokens_with_locations(reserved::marked(tokens, backend));
        statements(&mut parser).map_err(|error| reserved::unmarked(&error.to_string()))
    });
    let statements = match statements {
        Ok(statements) => statements,
        Err(error) => {
            let reason = error.trim_start_matches("sql parser error: ");
            return unparsed::read(&text.pieces, backend, reason)?
                .ok_or_else(|| Error::invalid(format!("the statement can't be read: {reason}")));
        }
    };
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
    let mut walk = Walk::new(
        backend,
        Footprint {
            mentions,
            ..Footprint::nothing(parameters)
        },
    );
    walk.top(&statement)?;
    let _ = statement.visit(&mut walk);
    walk.finish()
}

/// All statements of a text, to its end: the parser's own function for that stops at an END.
fn statements(parser: &mut Parser<'_>) -> Result<Vec<Statement>, ParserError> {
    let mut statements = Vec::new();
    loop {
        let mut is_apart = statements.is_empty();
        while parser.consume_token(&Token::SemiColon) {
            is_apart = true;
        }
        let next = parser.peek_token_ref();
        if next.token == Token::EOF {
            return Ok(statements);
        }
        if !is_apart {
            let message = format!("Expected: end of statement, found: {next}");
            return Err(ParserError::ParserError(message));
        }
        let statement = parser.parse_statement()?;
        if let Some(word) = reserved::taken_for_a_name(&statement) {
            return Err(ParserError::ParserError(format!(
                "{word} is a reserved word and stands where a name would"
            )));
        }
        statements.push(statement);
    }
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
    seen: HashSet<*const ObjectName>,
    locks: bool,
    /// What the top statement is; only there may DDL stand.
    pub(super) ddl: bool,
    pub(super) error: Option<Error>,
}

impl Walk {
    fn new(backend: Backend, footprint: Footprint) -> Self {
        Self {
            backend,
            footprint,
            scopes: Vec::new(),
            seen: HashSet::new(),
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
                self.seen.insert(std::ptr::from_ref(name));
            }
            Err(error) => {
                self.error.get_or_insert(error);
            }
        }
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
                        for quoted in [false, true] {
                            let part = |name: &str| part(name, quoted, self.backend);
                            let name = match schema {
                                Some(schema) => format!("{}.{}", part(schema), part(name)),
                                None => part(name),
                            };
                            self.footprint.reads.insert(name);
                        }
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
                let name = &cte.alias.name;
                part(&name.value, name.quote_style.is_some(), self.backend)
            };
            let coming = with
                .cte_tables
                .iter()
                .map(|cte| (std::ptr::from_ref(cte.query.as_ref()), name(cte)))
                .collect::<Vec<_>>();
            // On SQLite all of them see each other, said RECURSIVE or not.
            let visible = if with.recursive || self.backend == Backend::Sqlite {
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
                self.seen.insert(std::ptr::from_ref(name));
                self.call(name, None)
            }
            TableFactor::Function { name, .. } => self.call(name, None),
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
        if self.seen.contains(&std::ptr::from_ref(relation)) {
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
                self.call(name, Some(args))
            }
            Expr::CompoundIdentifier(parts) => {
                self.mention_attributes(parts.iter().skip(1));
                ControlFlow::Continue(())
            }
            Expr::CompoundFieldAccess { access_chain, .. } => {
                self.mention_attributes(access_chain.iter().filter_map(|access| match access {
                    AccessExpr::Dot(Expr::Identifier(name)) => Some(name),
                    _ => None,
                }));
                ControlFlow::Continue(())
            }
            Expr::Cast { data_type, .. } => {
                self.mention_type(data_type);
                ControlFlow::Continue(())
            }
            Expr::TypedString(TypedString { data_type, .. }) => {
                self.mention_type(data_type);
                ControlFlow::Continue(())
            }
            Expr::MatchAgainst { .. } | Expr::Lambda(_) => {
                self.fail("the expression can't be read")
            }
            other => {
                self.mention_syntax(other);
                ControlFlow::Continue(())
            }
        }
    }
}
