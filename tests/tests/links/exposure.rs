//! The demonstration: an order and the exposure that it takes up change in one transaction across two plugins.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use poolhouse_database::{Grants, Tables};
use poolhouse_runtime::trading::{Order, OrderManager, Outcome, Side, User, UserService};
use poolhouse_runtime::{CallError, PluginOptions};
use poolhouse_tests::{BACKENDS, Backend, reference_plugin};

use super::{Inside, empty};

struct Desk {
    host: Inside,
    orders: OrderManager,
    users: UserService,
}

fn desk(backend: Backend) -> anyhow::Result<Desk> {
    let house = empty(backend)?;
    for name in ["order-manager", "user-service"] {
        house.add_plugin(&reference_plugin(name)?)?;
    }
    let options = |name: &str| {
        let tables: &[&str] = match name {
            "order-manager" => &["orders", "progress"],
            _ => &["users", "subscriptions"],
        };
        let tables = || Tables::Some(tables.iter().map(|table| (*table).to_owned()).collect());
        PluginOptions {
            grants: Some(Grants {
                read: tables(),
                write: tables(),
                migrate: true,
                ..Grants::default()
            }),
            ..PluginOptions::default()
        }
    };
    let host = Inside::start(house, options)??;
    let plugin = |name: &str| host.plugins.get(name).unwrap();
    Ok(Desk {
        orders: OrderManager::of(&plugin("order-manager")).unwrap(),
        users: UserService::of(&plugin("user-service")).unwrap(),
        host,
    })
}

fn order(id: &str, user: &str, quantity: &str) -> Order {
    Order {
        client_order_id: id.to_owned(),
        user_id: user.to_owned(),
        strategy_id: "s".to_owned(),
        symbol: "AAPL".to_owned(),
        side: Side::Buy,
        quantity: quantity.to_owned(),
        price: "10.50".to_owned(),
        max_order_value: Some("1000".to_owned()),
        bar_time: 0,
    }
}

impl Desk {
    fn save(&self, id: &str, max_exposure: Option<&str>) {
        let user = User {
            id: id.to_owned(),
            name: id.to_owned(),
            active: true,
            max_order_value: None,
            max_exposure: max_exposure.map(str::to_owned),
        };
        let scope = self.users.plugin().scope();
        self.host.runtime.block_on(async {
            self.users.save(&scope, user).await.unwrap();
            scope.finish().await;
        });
    }

    /// Places the orders; the chain's host call of that number traps its guest, whichever it is.
    fn place(
        &self,
        orders: &[Order],
        trap_at: usize,
    ) -> (Result<Vec<Outcome>, CallError>, Option<String>) {
        let scope = self.orders.plugin().scope();
        let calls = AtomicUsize::new(0);
        let trapped = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&trapped);
        scope.observe(move |plugin, function| {
            if calls.fetch_add(1, Ordering::Relaxed) == trap_at {
                *seen.lock().unwrap() = Some(format!("{plugin} {function}"));
                return Err("the test ends it here".to_owned());
            }
            Ok(())
        });
        let placed = self.host.runtime.block_on(async {
            let placed = self.orders.place(&scope, orders.to_vec()).await;
            scope.finish().await;
            placed
        });
        let trapped = trapped.lock().unwrap().clone();
        (placed, trapped)
    }

    fn exposure(&self, user: &str) -> String {
        let answer = self
            .host
            .call("user-service", "user-service.exposure", &[user])
            .unwrap();
        answer.text.unwrap()
    }

    fn orders(&self) -> Vec<(String, String)> {
        let rows = self
            .host
            .house
            .query("SELECT client_order_id, status FROM orders ORDER BY client_order_id")
            .unwrap();
        rows.into_iter()
            .map(|row| (row[0].clone(), row[1].clone()))
            .collect()
    }
}

#[test]
fn orders_take_up_exposure_up_to_the_limit_and_once() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let desk = desk(backend)?;
        desk.save("alice", Some("1000"));
        desk.save("bob", None);
        let orders = [
            order("a1", "alice", "50"),
            order("b1", "bob", "90"),
            order("a2", "alice", "50"),
            order("a3", "alice", "45"),
            order("b2", "bob", "90"),
            order("c1", "nobody", "1"),
            order("b3", "bob", "1000"),
        ];
        let placed = desk.place(&orders, usize::MAX).0?;
        let refused = "The user's exposure would be 1050.00, above max_exposure 1000.";
        assert!(
            matches!(
                placed.as_slice(),
                [
                    Outcome::Placed,
                    Outcome::Placed,
                    Outcome::Rejected(reason),
                    Outcome::Placed,
                    Outcome::Placed,
                    Outcome::Placed,
                    Outcome::Rejected(_),
                ] if reason == refused
            ),
            "{backend:?} {placed:?}"
        );
        // 95 × 10.50, and 180 × 10.50: neither what was refused nor what was above its own limit.
        assert_eq!(
            desk.exposure("alice"),
            "ok(some(\"997.50\"))",
            "{backend:?}"
        );
        assert_eq!(desk.exposure("bob"), "ok(some(\"1890.00\"))", "{backend:?}");
        assert_eq!(desk.exposure("nobody"), "ok(none)");
        let again = desk.place(&orders, usize::MAX).0?;
        assert!(
            again
                .iter()
                .all(|outcome| matches!(outcome, Outcome::Duplicate)),
            "{again:?}"
        );
        assert_eq!(
            desk.exposure("alice"),
            "ok(some(\"997.50\"))",
            "{backend:?}"
        );
        let rejected: Vec<_> = desk
            .orders()
            .into_iter()
            .filter(|(_, status)| status == "rejected")
            .map(|(id, _)| id)
            .collect();
        assert_eq!(rejected, ["a2", "b3"]);
        desk.host.is_clean();
    }
    Ok(())
}

#[test]
fn a_trap_at_any_host_call_of_either_plugin_undoes_both() -> anyhow::Result<()> {
    for backend in BACKENDS {
        let desk = desk(backend)?;
        desk.save("alice", Some("600"));
        desk.save("bob", None);
        let orders = [
            order("a1", "alice", "50"),
            order("a2", "alice", "50"),
            order("b1", "bob", "2"),
        ];
        let mut seen = Vec::new();
        loop {
            let (placed, trapped) = desk.place(&orders, seen.len());
            desk.host.is_clean();
            let Some(trapped) = trapped else {
                let placed = placed?;
                assert!(
                    matches!(
                        placed.as_slice(),
                        [Outcome::Placed, Outcome::Rejected(_), Outcome::Placed]
                    ),
                    "{placed:?}"
                );
                break;
            };
            let error = placed.unwrap_err().to_string();
            assert!(
                error.contains("the test ends it here"),
                "{trapped}: {error}"
            );
            assert_eq!(desk.orders(), [], "{backend:?} {trapped}");
            assert_eq!(
                desk.exposure("alice"),
                "ok(some(\"0\"))",
                "{backend:?} {trapped}"
            );
            assert_eq!(
                desk.exposure("bob"),
                "ok(some(\"0\"))",
                "{backend:?} {trapped}"
            );
            seen.push(trapped);
        }
        for needed in [
            "order-manager session.open",
            "order-manager session.begin",
            "order-manager transaction.query",
            "order-manager user-service.take-exposure",
            "user-service session.begin",
            "user-service transaction.query",
            "user-service transaction.execute",
            "user-service transaction.commit",
            "order-manager transaction.execute",
            "order-manager transaction.commit",
        ] {
            assert!(
                seen.iter().any(|call| call == needed),
                "{needed} is not among {seen:?}"
            );
        }
        assert_eq!(
            desk.exposure("alice"),
            "ok(some(\"525.00\"))",
            "{backend:?}"
        );
        assert_eq!(desk.orders().len(), 3);
    }
    Ok(())
}
