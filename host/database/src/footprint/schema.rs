//! Owns the outermost statement and DDL: which of them run, and the tables they make, alter and drop.

use std::ops::ControlFlow;

use sqlparser::ast::helpers::stmt_create_table::CreateTableBuilder;
use sqlparser::ast::{
    AlterColumnOperation, AlterIndexOperation, AlterTable, AlterTableOperation, ColumnDef,
    ColumnOption, CreateIndex, CreateTable, DropBehavior, Expr, ForeignKeyConstraint, HiveFormat,
    ObjectName, ObjectType, RenameTableNameKind, Statement, TableConstraint, visit_expressions,
};
use sqlparser::keywords::Keyword;

use crate::error::Error;
use crate::url::Backend;

use super::StatementKind;
use super::refusals::refusal;
use super::types;
use super::walk::Walk;

const CASCADE: &str = "CASCADE would drop what others have made: drop what depends on it by its own name, where it is the plugin's own";

impl Walk {
    /// Sorts the outermost statement: rows, DDL, or one that has a function of its own.
    pub(super) fn top(&mut self, statement: &Statement) -> Result<(), Error> {
        match statement {
            Statement::Query(_)
            | Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Merge(_) => Ok(()),
            Statement::Explain { statement, .. } => match statement.as_ref() {
                Statement::Query(_) => Ok(()),
                _ => Err(Error::invalid("EXPLAIN is for queries only")),
            },
            Statement::CreateTable(table) => {
                self.begin_ddl(statement)?;
                self.create_table(table)
            }
            Statement::CreateIndex(index) => {
                self.begin_ddl(statement)?;
                self.create_index(index)
            }
            Statement::AlterTable(alter) => {
                self.begin_ddl(statement)?;
                self.alter_table(alter)
            }
            Statement::AlterIndex {
                name,
                operation: AlterIndexOperation::RenameIndex { index_name },
            } => {
                self.begin_ddl(statement)?;
                for name in [name, index_name] {
                    let name = self.name(name)?;
                    self.footprint.indexes.insert(name);
                }
                Ok(())
            }
            Statement::Drop { cascade: true, .. } => Err(Error::invalid(CASCADE)),
            Statement::Drop {
                object_type: ObjectType::Table,
                names,
                temporary: false,
                table: None,
                ..
            } => {
                self.begin_ddl(statement)?;
                names.iter().for_each(|name| self.write(name));
                Ok(())
            }
            Statement::Drop {
                object_type: ObjectType::Index,
                names,
                table: None,
                ..
            } => {
                self.begin_ddl(statement)?;
                for name in names {
                    let name = self.name(name)?;
                    self.footprint.indexes.insert(name);
                }
                Ok(())
            }
            other => Err(Error::invalid(refusal(other))),
        }
    }

    fn begin_ddl(&mut self, statement: &Statement) -> Result<(), Error> {
        self.ddl = true;
        self.footprint.kind = StatementKind::Ddl;
        let mut refused = None;
        let _ = visit_expressions(statement, |expression| {
            if let Expr::Cast { data_type, .. } = expression
                && let Err(error) = types::check(data_type, self.backend)
            {
                refused = Some(error);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        refused.map_or(Ok(()), Err)
    }

    fn create_table(&mut self, table: &CreateTable) -> Result<(), Error> {
        if table.temporary || table.global.is_some() || table.on_commit.is_some() {
            return Err(Error::invalid(
                "temporary tables would outlive their statement in a pooled connection: create a table in a migration",
            ));
        }
        // Whatever else there is in the language, or comes to be, is another table's, another place or another lifetime.
        let plain = CreateTableBuilder::new(table.name.clone())
            .if_not_exists(table.if_not_exists)
            .columns(table.columns.clone())
            .constraints(table.constraints.clone())
            .query(table.query.clone())
            .without_rowid(table.without_rowid)
            .strict(table.strict)
            .hive_formats(
                table
                    .hive_formats
                    .clone()
                    .filter(|formats| *formats == no_format()),
            )
            .build();
        if plain != *table {
            return Err(Error::invalid(
                "CREATE TABLE is read with columns, constraints and AS alone: without UNLOGGED, LIKE, INHERITS, PARTITION, OF, WITH, TABLESPACE and OR REPLACE",
            ));
        }
        self.made(&table.name)?;
        for constraint in &table.constraints {
            self.constraint(constraint)?;
        }
        table
            .columns
            .iter()
            .try_for_each(|column| self.column(column))
    }

    /// A table of one's own is made where everybody's are.
    fn made(&mut self, name: &ObjectName) -> Result<(), Error> {
        let folded = self.name(name)?;
        let is_odd = match (folded.split_once('.'), self.backend) {
            (Some(_), Backend::Sqlite) => true,
            (Some((schema, _)), Backend::Postgresql) => {
                schema.starts_with("pg_") || schema == "information_schema"
            }
            (None, _) => false,
        };
        if is_odd {
            return Err(Error::invalid(format!(
                "a migration makes no table in the schema of {folded:?}"
            )));
        }
        self.write(name);
        Ok(())
    }

    fn create_index(&mut self, index: &CreateIndex) -> Result<(), Error> {
        let CreateIndex {
            name: _,
            table_name,
            using: _,
            columns: _,
            unique: _,
            concurrently: false,
            r#async: false,
            if_not_exists: _,
            include: _,
            nulls_distinct: _,
            with,
            predicate: _,
            index_options,
            alter_options,
        } = index
        else {
            return Err(Error::invalid(
                "an index is made in the transaction of its migration: leave CONCURRENTLY out",
            ));
        };
        if !with.is_empty() || !index_options.is_empty() || !alter_options.is_empty() {
            return Err(Error::invalid(
                "CREATE INDEX is read with USING, columns, INCLUDE and WHERE alone",
            ));
        }
        self.write(table_name);
        Ok(())
    }

    fn alter_table(&mut self, alter: &AlterTable) -> Result<(), Error> {
        let AlterTable {
            name,
            if_exists: _,
            only: _,
            operations,
            location: None,
            on_cluster: None,
            table_type: None,
            end_token: _,
        } = alter
        else {
            return Err(alterations());
        };
        self.write(name);
        operations
            .iter()
            .try_for_each(|operation| self.alteration(name, operation))
    }

    fn alteration(
        &mut self,
        table: &ObjectName,
        operation: &AlterTableOperation,
    ) -> Result<(), Error> {
        match operation {
            AlterTableOperation::AddConstraint { constraint, .. } => self.constraint(constraint),
            AlterTableOperation::AddColumn {
                column_def,
                column_position: None,
                ..
            } => self.column(column_def),
            AlterTableOperation::RenameTable {
                table_name: RenameTableNameKind::As(name) | RenameTableNameKind::To(name),
            } => self.renamed(table, name),
            AlterTableOperation::DropConstraint {
                drop_behavior: Some(DropBehavior::Cascade),
                ..
            }
            | AlterTableOperation::DropColumn {
                drop_behavior: Some(DropBehavior::Cascade),
                ..
            } => Err(Error::invalid(CASCADE)),
            AlterTableOperation::AlterColumn {
                op: AlterColumnOperation::SetDataType { data_type, .. },
                ..
            } => types::check(data_type, self.backend),
            AlterTableOperation::DropConstraint { .. }
            | AlterTableOperation::DropColumn { .. }
            | AlterTableOperation::RenameColumn { .. }
            | AlterTableOperation::RenameConstraint { .. }
            | AlterTableOperation::AlterColumn { .. }
            | AlterTableOperation::ValidateConstraint { .. } => Ok(()),
            _ => Err(alterations()),
        }
    }

    /// A table keeps its schema, whatever it is called.
    fn renamed(&mut self, table: &ObjectName, name: &ObjectName) -> Result<(), Error> {
        let (schema, own) = (table.0.split_last(), name.0.len() == 1);
        let mut parts = schema.map_or_else(Vec::new, |(_, schema)| schema.to_vec());
        if !own {
            parts.clear();
        }
        parts.extend(name.0.iter().cloned());
        let renamed = self.name(&ObjectName(parts))?;
        self.footprint.writes.insert(renamed);
        Ok(())
    }

    fn column(&mut self, column: &ColumnDef) -> Result<(), Error> {
        types::check(&column.data_type, self.backend)?;
        column
            .options
            .iter()
            .try_for_each(|option| self.column_option(&option.option))
    }

    fn constraint(&mut self, constraint: &TableConstraint) -> Result<(), Error> {
        match constraint {
            TableConstraint::ForeignKey(key) => {
                self.foreign_key(key);
                Ok(())
            }
            TableConstraint::Unique(_)
            | TableConstraint::PrimaryKey(_)
            | TableConstraint::Check(_) => Ok(()),
            _ => Err(Error::invalid(
                "constraints are read that are PRIMARY KEY, UNIQUE, FOREIGN KEY and CHECK",
            )),
        }
    }

    fn column_option(&mut self, option: &ColumnOption) -> Result<(), Error> {
        match option {
            ColumnOption::ForeignKey(key) => self.foreign_key(key),
            ColumnOption::OnConflict(Keyword::ROLLBACK) => {
                return Err(Error::invalid(
                    "ON CONFLICT ROLLBACK would end transactions behind the host's back: leave it out",
                ));
            }
            ColumnOption::Null
            | ColumnOption::NotNull
            | ColumnOption::Default(_)
            | ColumnOption::PrimaryKey(_)
            | ColumnOption::Unique(_)
            | ColumnOption::Check(_)
            | ColumnOption::Collation(_)
            | ColumnOption::Generated { .. }
            | ColumnOption::Identity(_)
            | ColumnOption::OnConflict(_) => {}
            // AUTOINCREMENT.
            ColumnOption::DialectSpecific(_) if self.backend == Backend::Sqlite => {}
            _ => {
                return Err(Error::invalid(format!(
                    "the column's {option} can't be read"
                )));
            }
        }
        Ok(())
    }

    /// A reference keeps rows of the other table from being changed and deleted, so it counts as writing it.
    fn foreign_key(&mut self, key: &ForeignKeyConstraint) {
        if let Ok(name) = self.name(&key.foreign_table) {
            self.footprint.writes.insert(name);
        }
    }
}

/// The parser says so of every table that is kept in no format of another dialect's.
fn no_format() -> HiveFormat {
    HiveFormat {
        row_format: None,
        serde_properties: None,
        storage: None,
        location: None,
    }
}

fn alterations() -> Error {
    Error::invalid(
        "ALTER TABLE is read for adding, dropping, renaming and altering columns and constraints, and renaming the table",
    )
}
