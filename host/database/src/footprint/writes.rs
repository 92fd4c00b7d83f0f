//! Owns the targets of INSERT, UPDATE, DELETE and MERGE.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Delete, FromTable, Insert, ObjectName, OnConflictAction, OnInsert, SqliteOnConflict,
    TableFactor, TableObject, TableWithJoins, Update,
};

use super::StatementKind;
use super::walk::Walk;

impl Walk {
    pub(super) fn begin_write(&mut self) {
        if self.footprint.kind == StatementKind::Query {
            self.footprint.kind = StatementKind::Write;
        }
    }

    pub(super) fn insert(&mut self, insert: &Insert) -> ControlFlow<()> {
        self.begin_write();
        if matches!(insert.or, Some(SqliteOnConflict::Rollback)) {
            return self.fail("OR ROLLBACK would end the transaction behind the host's back: use OR ABORT, and rollback");
        }
        if insert.overwrite
            || insert.partitioned.is_some()
            || !insert.multi_table_into_clauses.is_empty()
            || insert.multi_table_else_clause.is_some()
            || !insert.multi_table_when_clauses.is_empty()
        {
            return self.fail("the INSERT can't be read");
        }
        let TableObject::TableName(name) = &insert.table else {
            return self.fail("INSERT is into a table's name");
        };
        self.write(name);
        let (updates, compares) = match &insert.on {
            Some(OnInsert::OnConflict(conflict)) => (
                matches!(conflict.action, OnConflictAction::DoUpdate(_)),
                conflict.conflict_target.is_some(),
            ),
            Some(_) => (true, true),
            None => (false, false),
        };
        self.footprint.inserts = !updates;
        // PostgreSQL wants SELECT for the columns of a conflict that is named.
        if updates || compares || insert.returning.is_some() {
            self.read_target(name);
        }
        ControlFlow::Continue(())
    }

    pub(super) fn update(&mut self, update: &Update) -> ControlFlow<()> {
        self.begin_write();
        if matches!(update.or, Some(SqliteOnConflict::Rollback)) {
            return self.fail("OR ROLLBACK would end the transaction behind the host's back: use OR ABORT, and rollback");
        }
        self.target(&update.table.relation)
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> ControlFlow<()> {
        self.begin_write();
        if !delete.tables.is_empty() {
            return self.fail("DELETE is from one table");
        }
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        match from.as_slice() {
            [TableWithJoins { relation, .. }] => self.target(relation),
            _ => self.fail("DELETE is from one table"),
        }
    }

    pub(super) fn target(&mut self, target: &TableFactor) -> ControlFlow<()> {
        match target {
            TableFactor::Table {
                name, args: None, ..
            } => {
                self.write(name);
                self.read_target(name);
                ControlFlow::Continue(())
            }
            _ => self.fail("what is written is a table's name"),
        }
    }

    fn read_target(&mut self, name: &ObjectName) {
        if let Ok(table) = self.name(name) {
            self.footprint.reads.insert(table);
        }
    }
}
