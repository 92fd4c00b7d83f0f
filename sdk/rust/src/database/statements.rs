//! The statements that sessions and transactions have alike, and what is built on them; where they run, the handle says.

use crate::bindings::imports::poolhouse::database::types;
use crate::database::{Column, Cursor, Error, FromCell, FromRow, Row, Rows, Value};

/// Statements in a session, a transaction, or a [scoped session](crate::database::ScopedSession).
///
/// The handles have these functions of their own; the trait is for functions that take any of them, and for tests
/// that stand in for the database:
///
/// ```
/// use poolhouse::database::{Column, Cursor, Decimal, Error, Rows, Statements, Value};
/// use poolhouse::params;
///
/// fn balance(db: &impl Statements, account: &str) -> Result<Option<Decimal>, Error> {
///     db.query_scalar_optional("SELECT balance FROM accounts WHERE id = $1", params![account])
/// }
///
/// /// Knows one account.
/// struct OneAccount;
///
/// impl Statements for OneAccount {
///     fn query(&self, _sql: &str, params: &[Value]) -> Result<Rows, Error> {
///         let found = (params == params!["alice"]).then(|| Decimal::scaled(150, 2));
///         Rows::of([("balance", Column::of(found))])
///     }
///
///     fn execute(&self, _: &str, _: &[Value]) -> Result<u64, Error> {
///         unreachable!("a balance is only read")
///     }
///
///     fn execute_many(&self, _: &str, _: &[Column]) -> Result<u64, Error> {
///         unreachable!("a balance is only read")
///     }
///
///     fn cursor(&self, sql: &str, params: &[Value]) -> Result<Cursor, Error> {
///         self.query(sql, params).map(Cursor::from)
///     }
/// }
///
/// assert_eq!(balance(&OneAccount, "alice")?, Some("1.50".parse().unwrap()));
/// assert_eq!(balance(&OneAccount, "bob")?, None);
/// # Ok::<(), Error>(())
/// ```
pub trait Statements {
    /// Runs a statement and answers all its rows.
    ///
    /// # Errors
    /// The host's error; more rows or bytes than the plugin's limit are one, never a part of the rows.
    fn query(&self, sql: &str, params: &[Value]) -> Result<Rows, Error>;

    /// Runs a statement and answers the number of rows it changed.
    ///
    /// # Errors
    /// The host's error.
    fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, Error>;

    /// Runs one statement once for each row of `columns`, one column for each parameter, all of it or nothing, and
    /// answers the sum of the rows changed. [`Column::from_rows`] makes the columns of tuples.
    ///
    /// # Errors
    /// The host's error.
    fn execute_many(&self, sql: &str, columns: &[Column]) -> Result<u64, Error>;

    /// Opens a cursor. Outside a transaction it holds a connection of its own until its end or until it is dropped.
    ///
    /// # Errors
    /// The host's error.
    fn cursor(&self, sql: &str, params: &[Value]) -> Result<Cursor, Error>;

    /// Runs a statement and answers all its rows as structs or tuples.
    ///
    /// # Errors
    /// The host's error, or a row that is none of the type.
    fn query_as<T: for<'r> FromRow<'r>>(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<T>, Error> {
        self.query(sql, params)?.all()
    }

    /// Runs a statement and answers its only row.
    ///
    /// # Errors
    /// The host's error, no row, more than one, or one that is none of the type.
    fn query_one<T: for<'r> FromRow<'r>>(&self, sql: &str, params: &[Value]) -> Result<T, Error> {
        self.query(sql, params)?.one()
    }

    /// Runs a statement and answers its only row, if there is one.
    ///
    /// # Errors
    /// The host's error, more than one row, or one that is none of the type.
    fn query_optional<T: for<'r> FromRow<'r>>(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<T>, Error> {
        self.query(sql, params)?.optional()
    }

    /// Runs a statement and answers the only cell of its only row; one that may be NULL is read as an `Option`.
    ///
    /// # Errors
    /// The host's error, no row, more than one row or column, or a cell that is none of the type.
    fn query_scalar<T: for<'r> FromCell<'r>>(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<T, Error> {
        self.query_scalar_optional(sql, params)?.ok_or(Error::NoRow)
    }

    /// Runs a statement and answers the only cell of its only row, if there is a row.
    ///
    /// # Errors
    /// The host's error, more than one row or column, or a cell that is none of the type.
    fn query_scalar_optional<T: for<'r> FromCell<'r>>(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<Option<T>, Error> {
        self.query(sql, params)?.scalar()
    }

    /// Runs a statement and answers the cells of its only column.
    ///
    /// # Errors
    /// The host's error, more than one column, or a cell that is none of the type.
    fn query_scalars<T: for<'r> FromCell<'r>>(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<T>, Error> {
        self.query(sql, params)?.scalars()
    }

    /// [`query_as`](Self::query_as) for any number of rows: in one answer where that is within the plugin's limits,
    /// through a cursor where it is not. A query that changes rows is not for it, for it may run twice.
    ///
    /// # Errors
    /// The host's error, or a row that is none of the type; where no cursor is to be had, the limit.
    fn read_all<T: for<'r> FromRow<'r>>(
        &self,
        sql: &str,
        params: &[Value],
    ) -> Result<Vec<T>, Error> {
        match answer_or_cursor(self, sql, params)? {
            Whole::Answer(rows) => rows.all(),
            Whole::Cursor(cursor) => cursor.rows().collect(),
        }
    }

    /// Runs a query and hands each row to `visit`: in one answer where that is within the plugin's limits, through a
    /// cursor where it is not. A query that changes rows is not for it, for it may run twice.
    ///
    /// # Errors
    /// What `visit` answered, which ends it, or the host's error; where no cursor is to be had, the limit.
    fn each<E: From<Error>>(
        &self,
        sql: &str,
        params: &[Value],
        mut visit: impl FnMut(Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match answer_or_cursor(self, sql, params)? {
            Whole::Answer(rows) => rows.iter().try_for_each(visit),
            Whole::Cursor(mut cursor) => {
                while let Some(rows) = cursor.next_batch()? {
                    rows.iter().try_for_each(&mut visit)?;
                }
                Ok(())
            }
        }
    }
}

/// A result of any size.
enum Whole {
    Answer(Rows),
    Cursor(Cursor),
}

fn answer_or_cursor(
    db: &(impl Statements + ?Sized),
    sql: &str,
    params: &[Value],
) -> Result<Whole, Error> {
    match db.query(sql, params) {
        Ok(rows) => Ok(Whole::Answer(rows)),
        Err(error) if error.is_too_large() => match db.cursor(sql, params) {
            // A host without cursors, or a query that can't have one: the limit is what matters.
            Err(Error::Database(types::Error::Invalid(_))) => Err(error),
            cursor => cursor.map(Whole::Cursor),
        },
        Err(error) => Err(error),
    }
}

/// Gives a handle the trait's functions as its own, so that nobody has to import the trait to run a statement.
macro_rules! statements_of {
    ($handle:ty) => {
        impl $handle {
            statements_of! {
                /// Runs a statement and answers all its rows: see [`Statements::query`].
                query() -> Rows;
                /// Runs a statement and answers the number of rows it changed: see [`Statements::execute`].
                execute() -> u64;
                /// Opens a cursor: see [`Statements::cursor`].
                cursor() -> Cursor;
                /// Runs a statement and answers all its rows as structs or tuples: see [`Statements::query_as`].
                query_as<FromRow>() -> Vec<T>;
                /// Runs a statement and answers its only row: see [`Statements::query_one`].
                query_one<FromRow>() -> T;
                /// Runs a statement and answers its only row, if there is one: see [`Statements::query_optional`].
                query_optional<FromRow>() -> Option<T>;
                /// Runs a statement and answers the only cell of its only row: see [`Statements::query_scalar`].
                query_scalar<FromCell>() -> T;
                /// Runs a statement and answers the only cell of its only row, if there is a row: see
                /// [`Statements::query_scalar_optional`].
                query_scalar_optional<FromCell>() -> Option<T>;
                /// Runs a statement and answers the cells of its only column: see [`Statements::query_scalars`].
                query_scalars<FromCell>() -> Vec<T>;
                /// Runs a query and answers any number of rows, through a cursor where one answer is too small: see
                /// [`Statements::read_all`].
                read_all<FromRow>() -> Vec<T>;
            }

            /// Runs one statement once for each row of `columns`, all of it or nothing: see
            /// [`Statements::execute_many`].
            ///
            /// # Errors
            /// The host's error.
            pub fn execute_many(&self, sql: &str, columns: &[Column]) -> Result<u64, Error> {
                Statements::execute_many(self, sql, columns)
            }

            /// Runs a query and hands each row to `visit`, through a cursor where one answer is too small: see
            /// [`Statements::each`].
            ///
            /// # Errors
            /// What `visit` answered, which ends it, or the host's error.
            pub fn each<E: From<Error>>(
                &self,
                sql: &str,
                params: &[Value],
                visit: impl FnMut(Row<'_>) -> Result<(), E>,
            ) -> Result<(), E> {
                Statements::each(self, sql, params, visit)
            }
        }
    };
    ($($(#[$doc:meta])+ $name:ident$(<$bound:ident>)?() -> $answer:ty;)+) => {$(
        $(#[$doc])+
        ///
        /// # Errors
        /// The host's error, or rows that are not as they are asked for.
        pub fn $name$(<T: for<'r> $bound<'r>>)?(&self, sql: &str, params: &[Value]) -> Result<$answer, Error> {
            Statements::$name(self, sql, params)
        }
    )+};
}

pub(super) use statements_of;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;
    use crate::database::{Limit, LimitKind};
    use std::cell::Cell;

    /// Answers three numbers, or that they are too many; a cursor over them, or that there is none.
    struct Numbers {
        fit: bool,
        has_cursors: bool,
        cursors: Cell<u32>,
    }

    impl Statements for Numbers {
        fn query(&self, _: &str, _: &[Value]) -> Result<Rows, Error> {
            if self.fit {
                Rows::of([("n", Column::of([1, 2, 3]))])
            } else {
                Err(Error::from(types::Error::Limit(Limit {
                    kind: LimitKind::Rows,
                    message: "too many rows".into(),
                    maximum: 2,
                })))
            }
        }

        fn execute(&self, _: &str, _: &[Value]) -> Result<u64, Error> {
            Ok(0)
        }

        fn execute_many(&self, _: &str, _: &[Column]) -> Result<u64, Error> {
            Ok(0)
        }

        fn cursor(&self, _: &str, _: &[Value]) -> Result<Cursor, Error> {
            self.cursors.set(self.cursors.get() + 1);
            if self.has_cursors {
                Ok(Cursor::from(Rows::of([("n", Column::of([1, 2, 3]))])?))
            } else {
                Err(Error::from(types::Error::Invalid(types::Invalid {
                    message: "no cursor".into(),
                })))
            }
        }
    }

    fn numbers(fit: bool, has_cursors: bool) -> Numbers {
        Numbers {
            fit,
            has_cursors,
            cursors: Cell::new(0),
        }
    }

    fn visited(db: &Numbers) -> Result<Vec<i64>, Error> {
        let mut numbers = Vec::new();
        db.each("", &[], |row| {
            numbers.push(row.get(0)?);
            Ok::<_, Error>(())
        })?;
        Ok(numbers)
    }

    #[test]
    fn a_cursor_reads_what_is_too_large_for_an_answer() {
        for (fit, cursors) in [(true, 0), (false, 2)] {
            let db = numbers(fit, true);
            assert_eq!(db.read_all::<(i64,)>("", &[]), Ok(vec![(1,), (2,), (3,)]));
            assert_eq!(visited(&db), Ok(vec![1, 2, 3]));
            assert_eq!(db.cursors.get(), cursors);
        }
    }

    #[test]
    fn where_there_is_no_cursor_the_limit_is_told() {
        let db = numbers(false, false);
        assert!(db.read_all::<(i64,)>("", &[]).unwrap_err().is_too_large());
        assert!(visited(&db).unwrap_err().is_too_large());
        assert_eq!(db.cursors.get(), 2);
    }

    #[test]
    fn the_first_error_of_a_visit_ends_it() {
        for fit in [true, false] {
            let mut seen = 0;
            let result = numbers(fit, true).each("", &[], |_| {
                seen += 1;
                Err::<(), _>(Error::NoRow)
            });
            assert_eq!((result, seen), (Err(Error::NoRow), 1));
        }
    }

    #[test]
    fn scalars_are_one_row_each() {
        let db = numbers(true, true);
        assert_eq!(db.query_scalars::<u8>("", &[]), Ok(vec![1, 2, 3]));
        assert_eq!(db.query_scalar::<u8>("", &[]), Err(Error::ManyRows(3)));
        assert_eq!(db.query_one::<(u8,)>("", &[]), Err(Error::ManyRows(3)));
    }
}
