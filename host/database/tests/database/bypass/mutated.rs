//! Owns statements made of the attempts' own pieces by chance: what the parser reads otherwise than a database shows there before
//! anybody has thought of it.

use poolhouse_database::{Backend, Footprint};

use super::{Technique, lines, narrow};

/// Of each run; most are refused.
pub(super) const MUTANTS: usize = 100_000;

/// Words, marks and names that are put in.
const PIECES: &str = "select from where in not is null distinct as by group order having limit offset union all except intersect \
    with recursive materialized values table join left right full outer inner cross natural using on lateral case when then \
    else end cast between like ilike similar to escape and or exists any some array row over partition window filter within rows \
    range groups preceding current exclude collate returning insert into update set delete merge conflict do nothing default \
    only of for share skip locked nowait fetch first next ties tablesample ordinality unnest secret users open_a mine s x id \
    secret.s open_a.x ( ) ( ) , . * = <> || :: [ ] -> ->> @> ~ ! 1 'a' \"secret\" \"s\" $1 main. public. glob match regexp isnull \
    notnull indexed if replace ignore abort interval date timestamp extract position trim substring overlay ceil floor at time \
    zone pivot unpivot sample system_time version ; /*a*/ @ # ? : := => { } E'a' x'00' generated asc desc nulls last cube rollup \
    grouping sets json_table xmltable passing columns path qualify top percent rename start connect prior view explain symmetric \
    normalized unknown true false operator( variadic format settings prewhere final straight_join force use key";

/// Attempts and honest statements, changed in up to four places.
pub(super) struct Mutants {
    statements: Vec<Vec<String>>,
    pieces: Vec<String>,
    chance: fastrand::Rng,
}

impl Mutants {
    pub(super) fn of(techniques: &[Technique], honest: &str) -> Self {
        let attempts = techniques.iter().flat_map(Technique::attempts);
        // As many of these as of those, so that much of what comes of it is let through.
        let honest = std::iter::repeat_n(lines(honest), 2).flatten();
        let chance = fastrand::Rng::new();
        println!("mutants of the seed {}", chance.get_seed());
        Self {
            statements: attempts.chain(honest).map(|sql| pieces(&sql)).collect(),
            pieces: PIECES.split_ascii_whitespace().map(str::to_owned).collect(),
            chance,
        }
    }

    pub(super) fn another(&mut self) -> String {
        let mut sql = self.statement();
        for _ in 0..self.chance.usize(1..5) {
            let at = self.chance.usize(..=sql.len());
            match self.chance.u8(..6) {
                0 if at < sql.len() => {
                    sql.remove(at);
                }
                1 if at < sql.len() => {
                    let other = self.chance.usize(..sql.len());
                    sql.swap(at, other);
                }
                2 => {
                    let other = self.statement();
                    let begin = self.chance.usize(..=other.len());
                    let end = other.len().min(begin + self.chance.usize(..8));
                    sql.splice(at..at, other.get(begin..end).unwrap_or_default().to_vec());
                }
                _ => {
                    let piece = self.chance.choice(&self.pieces).unwrap();
                    sql.insert(at, piece.clone());
                }
            }
        }
        sql.join(" ").replace(" . ", ".").replace(": :", "::")
    }

    fn statement(&mut self) -> Vec<String> {
        self.chance.choice(&self.statements).unwrap().clone()
    }
}

/// The footprint of what the plugin of all attempts may run.
pub(super) fn let_through(sql: &str, backend: Backend) -> Option<Footprint> {
    let footprint = Footprint::read(sql, backend).ok()?;
    narrow().grants.allow(&footprint).ok()?;
    Some(footprint)
}

/// Words, strings and marks, without the spaces between them.
fn pieces(sql: &str) -> Vec<String> {
    let is_in_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut pieces = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '\'' | '"' => rest
                .char_indices()
                .skip(1)
                .find(|(_, letter)| *letter == first)
                .map_or(rest.len(), |(at, _)| at + 1),
            _ if is_in_word(first) => rest
                .find(|letter| !is_in_word(letter))
                .unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(end);
        pieces.push(piece.to_owned());
        rest = after.trim_start();
    }
    pieces
}
