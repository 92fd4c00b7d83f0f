//! Owns the outermost statement and DDL: which of them run, and the tables they make, alter and drop.

use sqlparser::ast::{
    AlterIndexOperation, AlterTable, AlterTableOperation, ColumnOption, CreateTable, DropBehavior,
    ForeignKeyConstraint, ObjectName, ObjectType, RenameTableNameKind, Statement, TableConstraint,
};

use crate::error::Error;

use super::StatementKind;
use super::refusals::refusal;
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
            Statement::CreateTable(table) => self.create_table(table),
            Statement::CreateIndex(index) => {
                self.begin_ddl();
                self.write(&index.table_name);
                Ok(())
            }
            Statement::AlterTable(alter) => self.alter_table(alter),
            Statement::AlterIndex {
                name,
                operation: AlterIndexOperation::RenameIndex { index_name },
            } => {
                self.begin_ddl();
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
                ..
            } => {
                self.begin_ddl();
                names.iter().for_each(|name| self.write(name));
                Ok(())
            }
            Statement::Drop {
                object_type: ObjectType::Index,
                names,
                ..
            } => {
                self.begin_ddl();
                for name in names {
                    let name = self.name(name)?;
                    self.footprint.indexes.insert(name);
                }
                Ok(())
            }
            other => Err(Error::invalid(refusal(other))),
        }
    }

    fn begin_ddl(&mut self) {
        self.ddl = true;
        self.footprint.kind = StatementKind::Ddl;
    }

    fn create_table(&mut self, table: &CreateTable) -> Result<(), Error> {
        self.begin_ddl();
        if table.temporary
            || table.global.is_some()
            || table.external
            || table.transient
            || table.volatile
        {
            return Err(Error::invalid(
                "temporary tables would outlive their statement in a pooled connection: create a table in a migration",
            ));
        }
        if table.like.is_some()
            || table.clone.is_some()
            || table.inherits.is_some()
            || table.partition_of.is_some()
            || table.or_replace
        {
            return Err(Error::invalid(
                "CREATE TABLE is read without LIKE, INHERITS, PARTITION OF, CLONE and OR REPLACE",
            ));
        }
        self.write(&table.name);
        for constraint in &table.constraints {
            self.constraint(constraint);
        }
        for column in &table.columns {
            for option in &column.options {
                self.column_option(&option.option);
            }
        }
        Ok(())
    }

    fn alter_table(&mut self, alter: &AlterTable) -> Result<(), Error> {
        self.begin_ddl();
        self.write(&alter.name);
        for operation in &alter.operations {
            match operation {
                AlterTableOperation::AddConstraint { constraint, .. } => {
                    self.constraint(constraint)
                }
                AlterTableOperation::AddColumn { column_def, .. } => column_def
                    .options
                    .iter()
                    .for_each(|option| self.column_option(&option.option)),
                AlterTableOperation::RenameTable {
                    table_name: RenameTableNameKind::As(name) | RenameTableNameKind::To(name),
                } => self.renamed(&alter.name, name),
                AlterTableOperation::DropConstraint {
                    drop_behavior: Some(DropBehavior::Cascade),
                    ..
                }
                | AlterTableOperation::DropColumn {
                    drop_behavior: Some(DropBehavior::Cascade),
                    ..
                } => return Err(Error::invalid(CASCADE)),
                AlterTableOperation::DropConstraint { .. }
                | AlterTableOperation::DropColumn { .. }
                | AlterTableOperation::RenameColumn { .. }
                | AlterTableOperation::RenameConstraint { .. }
                | AlterTableOperation::AlterColumn { .. }
                | AlterTableOperation::ValidateConstraint { .. } => {}
                _ => {
                    return Err(Error::invalid(
                        "ALTER TABLE is read for adding, dropping, renaming and altering columns and constraints, and renaming the table",
                    ));
                }
            }
        }
        Ok(())
    }

    /// A table keeps its schema when it gets another name.
    fn renamed(&mut self, table: &ObjectName, name: &ObjectName) {
        self.write(name);
        if let ([schema @ .., _], [_]) = (table.0.as_slice(), name.0.as_slice())
            && !schema.is_empty()
        {
            let whole = ObjectName(schema.iter().chain(&name.0).cloned().collect());
            match self.name(&whole) {
                Ok(whole) => self.footprint.writes.insert(whole),
                Err(error) => {
                    self.error.get_or_insert(error);
                    false
                }
            };
        }
    }

    /// A reference to another table probes it for rows, so it counts as reading it.
    fn constraint(&mut self, constraint: &TableConstraint) {
        if let TableConstraint::ForeignKey(key) = constraint {
            self.foreign_key(key);
        }
    }

    fn column_option(&mut self, option: &ColumnOption) {
        if let ColumnOption::ForeignKey(key) = option {
            self.foreign_key(key);
        }
    }

    fn foreign_key(&mut self, key: &ForeignKeyConstraint) {
        if let Ok(name) = self.name(&key.foreign_table)
            && !self.footprint.writes.contains(&name)
        {
            self.footprint.reads.insert(name);
        }
    }
}
