//! What `#[derive(FromRow)]` reads, and what it says of rows that do not fit.

#![expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]

use poolhouse::database::{
    Cell, Column, Cursor, Decimal, Error, FromCell, FromRow, Rows, Timestamp, Uuid,
};

#[derive(Debug, PartialEq, FromRow)]
struct Order {
    id: Uuid,
    #[row(flatten)]
    what: What<Decimal>,
    reason: Option<String>,
    #[row(default)]
    tries: Option<i64>,
    #[row(default, rename = "marked")]
    is_marked: bool,
    r#type: Kind,
}

#[derive(Debug, PartialEq, FromRow)]
struct What<N> {
    #[row(rename = "qty")]
    quantity: N,
    #[row(flatten)]
    at: At,
}

#[derive(Debug, PartialEq, FromRow)]
struct At {
    created_at: Timestamp,
}

#[derive(Debug, PartialEq)]
enum Kind {
    Market,
}

impl<'r> FromCell<'r> for Kind {
    fn from_cell(cell: Cell<'r>) -> Result<Self, String> {
        match <&str>::from_cell(cell)? {
            "market" => Ok(Self::Market),
            word => Err(format!("holds `{word}`, which is no kind of order")),
        }
    }
}

#[derive(Debug, PartialEq, FromRow)]
struct Borrowed<'r, T>
where
    T: Copy,
{
    reason: Option<&'r str>,
    qty: T,
}

type Columns = Vec<(&'static str, Column)>;

fn orders() -> Columns {
    vec![
        // In another order than the fields', and with one that nobody reads.
        ("type", Column::of(["market", "market"])),
        ("created_at", Column::of([Timestamp(1), Timestamp(2)])),
        ("unread", Column::of([1, 2])),
        ("qty", Column::of([Decimal::scaled(150, 2), 2.into()])),
        ("reason", Column::nullable([None, Some("too large")])),
        ("id", Column::of([Uuid::from_u128(1), Uuid::from_u128(2)])),
    ]
}

/// The orders with a column in the place of the one of its name, or added.
fn orders_with(name: &'static str, column: Column) -> Rows {
    let mut columns = orders();
    columns.retain(|(other, _)| *other != name);
    columns.push((name, column));
    Rows::of(columns).unwrap()
}

fn message<T: for<'r> FromRow<'r>>(rows: &Rows) -> String {
    rows.all::<T>().err().unwrap().to_string()
}

#[test]
fn fields_are_read_from_the_columns_of_their_names() {
    let rows = Rows::of(orders()).unwrap();
    let read: Vec<Order> = rows.all().unwrap();
    let order = |bits, quantity: Decimal, reason: Option<&str>, created_at| Order {
        id: Uuid::from_u128(bits),
        what: What {
            quantity,
            at: At {
                created_at: Timestamp(created_at),
            },
        },
        reason: reason.map(str::to_owned),
        tries: None,
        is_marked: false,
        r#type: Kind::Market,
    };
    assert_eq!(
        read,
        [
            order(1, Decimal::scaled(150, 2), None, 1),
            order(2, 2.into(), Some("too large"), 2)
        ]
    );
    assert_eq!(read[0].what.quantity.to_string(), "1.50");
    assert_eq!(rows.row(1).unwrap().to::<Order>().as_ref(), Ok(&read[1]));
    let through_cursor: Result<Vec<Order>, Error> = Cursor::from(rows).rows().collect();
    assert_eq!(through_cursor, Ok(read));
}

#[test]
fn a_default_is_for_a_column_that_is_missing_alone() {
    let rows = orders_with("marked", Column::of([true, false]));
    assert!(rows.all::<Order>().unwrap()[0].is_marked);
    let rows = orders_with("marked", Column::nullable([Some(true), None]));
    assert_eq!(
        message::<Order>(&rows),
        "Order.is_marked: column `marked` of row 2 is null; read it as an `Option`"
    );
}

#[test]
fn structs_borrow_from_their_rows() {
    let rows = Rows::of(orders()).unwrap();
    let read: Vec<Borrowed<'_, &str>> = rows.all().unwrap();
    assert_eq!((read[1].reason, read[1].qty), (Some("too large"), "2"));
}

#[test]
fn what_does_not_fit_names_struct_field_column_and_row() {
    for (rows, expected) in [
        (
            orders_with("id", Column::of(["a", "b"])),
            "Order.id: column `id` of row 1 holds a text, not a UUID",
        ),
        (
            orders_with("qty", Column::nullable([Some(Decimal::from(1)), None])),
            "What.quantity: column `qty` of row 2 is null; read it as an `Option`",
        ),
        (
            orders_with("type", Column::of(["market", "limit"])),
            "Order.type: column `type` of row 2 holds `limit`, which is no kind of order",
        ),
    ] {
        assert_eq!(message::<Order>(&rows), expected);
    }
}

#[test]
fn columns_that_are_missing_or_there_twice_are_told_without_any_row() {
    let mut missing = orders();
    missing.retain(|(name, _)| *name != "qty");
    assert_eq!(
        message::<Order>(&Rows::of(missing).unwrap()),
        "What.quantity: the result has no column `qty`; it has type, created_at, unread, reason, id"
    );
    let none = Rows::of([
        ("created_at", Column::of([Timestamp(0); 0])),
        ("created_at", Column::of([Timestamp(0); 0])),
    ])
    .unwrap();
    assert_eq!(
        message::<At>(&none),
        "At.created_at: the result has 2 columns named `created_at`; give each a name of its own with AS"
    );
}

/// Takes a column more than it finds.
#[derive(Debug)]
struct Careless;

impl<'r> FromRow<'r> for Careless {
    fn find_columns(columns: &mut poolhouse::database::ColumnFinder<'_>) -> Result<(), Error> {
        columns.named("Careless.id", "id")
    }

    fn from_row(fields: &mut poolhouse::database::Fields<'r, '_>) -> Result<Self, Error> {
        fields.next::<Uuid>("Careless.id")?;
        fields.next::<i64>("Careless.unread")?;
        Ok(Self)
    }
}

#[test]
fn an_implementation_by_hand_that_is_wrong_is_an_error() {
    let rows = Rows::of(orders()).unwrap();
    assert!(message::<Careless>(&rows).starts_with("Careless.unread: `from_row` takes a column"));
}
