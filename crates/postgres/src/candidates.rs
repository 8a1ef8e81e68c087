//! Messages that may match, in order: where they are looked for, and the statements that find them.

use chatkeep_domain::search::{SearchKey, SearchRead};
use chatkeep_domain::{MessageFilter, OrgId, Path, UserId};
use sea_orm::Value;

use crate::row;
use crate::sql::{Sql, roles_are, size, texts};
use crate::target::Target;
use crate::words::Question;

pub(crate) const KEYS: &str = "m.created_at, m.chat_thread_id, m.position, m.org_id, m.branch";

/// Where to look.
#[derive(Debug, Clone)]
pub(crate) enum Within {
    /// What a path shows, or all branches.
    Thread(Target, Option<Path>),
    Org(OrgId),
    /// These are all organizations.
    Everywhere(Vec<String>),
}

/// Messages that may match.
pub(crate) struct Candidates<'a> {
    pub(crate) within: Within,
    /// `None`: what the filter lets through.
    pub(crate) question: Option<Question>,
    /// What columns say. Metadata is the question's.
    pub(crate) filter: &'a MessageFilter,
    /// Whose threads they have to be in.
    pub(crate) user: Option<&'a UserId>,
}

/// Between which places is read, how, and how much.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    pub(crate) newest_first: bool,
    pub(crate) from: Option<SearchKey>,
    pub(crate) behind: Option<SearchKey>,
    pub(crate) until: Option<SearchKey>,
    /// The end, which is not read itself.
    pub(crate) ahead: Option<SearchKey>,
    pub(crate) limit: usize,
}

impl Bounds {
    pub(crate) fn of(read: SearchRead) -> Self {
        let SearchRead { newest_first, from, behind, until, limit, .. } = read;
        Self { newest_first, from, behind, until, ahead: None, limit }
    }
}

impl Candidates<'_> {
    /// Everything that the filter lets through, in the order of an index. Of each organization as many as are wanted of all.
    pub(crate) fn all(&self, read: &Bounds) -> Sql {
        let (order, limit) = (self.order(read), limit(read.limit));
        let sql = if let Within::Everywhere(orgs) = &self.within {
            let sql = Sql::new(format!("SELECT {KEYS} FROM "));
            let sql = sql.bind("unnest(", texts(orgs.iter().map(String::as_str)));
            let sql = sql.text("::text[]) o (org_id) CROSS JOIN LATERAL (SELECT * FROM chat_message m WHERE");
            let sql = self.filtered(sql.text(" m.status >= 0 AND m.org_id = o.org_id"), read);
            sql.text(&format!("{}{limit}) m", in_order(&ACROSS[..3], read.newest_first)))
        } else {
            let mut sql = self.filtered(Sql::new(""), read);
            let conditions = sql.take_text();
            let (sql, source) = self.source(sql, read, &conditions, &limit);
            return sql.text(&format!("SELECT {KEYS} FROM {}{}{limit}", source.from, source.order));
        };
        sql.text(&order).text(&limit)
    }

    /// The hits of the index. No other index is to serve this: of a value that it does not know PostgreSQL thinks that one
    /// message in 200 has it, and would rather walk through an organization.
    pub(crate) fn looked_up(&self, read: &Bounds, index: &str, message: &str) -> Sql {
        let sql = Sql::new(format!("SELECT {KEYS} FROM (SELECT "))
            .bind("", index)
            .bind("::text::tsquery AS of_index, ", message)
            .text("::text::tsquery AS of_message OFFSET 0) asked JOIN chat_message m ON m.search @@ asked.of_index")
            .text(" WHERE (m.search @@ asked.of_message) IS TRUE");
        let sql = match &self.within {
            Within::Everywhere(_) => sql,
            Within::Org(org) => sql.bind(" AND m.org_id || '' = ", org.as_str()),
            Within::Thread(target, path) => {
                let sql = sql
                    .bind(" AND m.org_id || '' = ", target.org.as_str())
                    .bind(" AND m.chat_thread_id || '' = ", target.id.to_string());
                match path {
                    None => sql,
                    Some(path) => {
                        let mut sql = sql;
                        let text = sql.take_text();
                        let (sql, segments) = segments(sql, path);
                        sql.text(&text).text(&format!(
                            " AND EXISTS (SELECT 1 FROM {segments} WHERE s.branch = m.branch AND {IS_IN_SEGMENT})"
                        ))
                    }
                }
            }
        };
        self.filtered(sql, read).text(&self.order(read)).text(&limit(read.limit))
    }

    /// Messages in the order of an index, under these conditions. Of each part that they are put together from, no more is read than
    /// the limit says. The text so far is empty, and stays so.
    pub(crate) fn source(&self, sql: Sql, read: &Bounds, conditions: &str, limit: &str) -> (Sql, Source) {
        let order = self.order(read);
        let (target, path) = match &self.within {
            Within::Everywhere(_) => return (sql, Source::table(order, &format!("TRUE{conditions}"))),
            Within::Org(org) => {
                // The condition of the index in this order.
                let mut sql = sql.bind("m.status >= 0 AND m.org_id = ", org.as_str());
                let place = sql.take_text();
                return (sql, Source::table(order, &(place + conditions)));
            }
            Within::Thread(target, path) => (target, path),
        };
        let mut sql = target.filter_rows(sql);
        let own = format!("{}{conditions} AND m.branch =", sql.take_text());
        match path {
            Some(path) if *path == Path::main() => (sql, Source::table(order, &(own + " 0"))),
            Some(path) => {
                let (sql, segments) = segments(sql, path);
                let own = format!("SELECT * FROM chat_message m WHERE {own} s.branch AND {IS_IN_SEGMENT}");
                let direction = if read.newest_first { " DESC" } else { "" };
                let segments = format!("(SELECT * FROM {segments} ORDER BY n{direction}) s");
                let parts = format!("{segments} CROSS JOIN LATERAL ({own}{order}{limit}) m");
                let in_parts = format!(" ORDER BY s.n{direction}, m.position{direction}");
                let from = format!("(SELECT m.*, s.n FROM {parts}{in_parts}{limit}) m WHERE TRUE");
                // With the number, PostgreSQL sees that they are in order.
                let order = format!(" ORDER BY m.n{direction}, m.position{direction}");
                (sql, Source { from, order, number: ", m.n" })
            }
            None => {
                let mut sql = sql
                    .bind("b.org_id = ", target.org.as_str())
                    .bind(" AND b.chat_thread_id = ", *target.id.as_uuid());
                let of_thread = sql.take_text();
                let own = format!("SELECT * FROM chat_message m WHERE {own}");
                // Each side in order: PostgreSQL merges them, and reads no more of the main branch than it gives.
                let others = format!(
                    "SELECT m.* FROM chat_branch b CROSS JOIN LATERAL ({own} b.branch{order}{limit}) m WHERE {of_thread}"
                );
                let text = format!("({own} 0{order}{limit}) UNION ALL ({others}{order}{limit})");
                (sql, Source { from: format!("({text}) m WHERE TRUE"), order, number: "" })
            }
        }
    }

    /// Goes on with the filter, and with the ends of what is read.
    fn filtered(&self, sql: Sql, read: &Bounds) -> Sql {
        self.between(self.let_through(sql), read)
    }

    /// Goes on with what the filter says of a message by itself. A walk counts those too that it does not let through, or it
    /// would have no end where they are many.
    pub(crate) fn let_through(&self, sql: Sql) -> Sql {
        sql.text(&roles_are("m.sender_role", &self.filter.roles))
            .bind_some(" AND m.sender_id = ", self.filter.sender_id.as_ref().map(UserId::as_str))
            .bind_some(" AND m.created_at >= ", self.filter.created.from.filter(|_| self.is_in_thread()))
            .bind_some(" AND m.created_at < ", self.filter.created.until.filter(|_| self.is_in_thread()))
    }

    /// Goes on with the ends of what is read. Times are ends where they are the order.
    pub(crate) fn between(&self, sql: Sql, read: &Bounds) -> Sql {
        let mut sql = sql
            .bind_some(" AND m.created_at >= ", self.filter.created.from.filter(|_| !self.is_in_thread()))
            .bind_some(" AND m.created_at < ", self.filter.created.until.filter(|_| !self.is_in_thread()));
        let columns = self.columns();
        let (from, behind, until, ahead) =
            if read.newest_first { ("<=", "<", ">=", ">") } else { (">=", ">", "<=", "<") };
        let ends = [(&read.from, from), (&read.behind, behind), (&read.until, until), (&read.ahead, ahead)];
        for (key, comparison) in ends {
            if let Some(key) = key {
                let values = self.values(key);
                sql = sql.bind_tuple(&format!(" AND ({}) {comparison}", columns.join(", ")), values);
            }
        }
        sql
    }

    fn is_in_thread(&self) -> bool {
        matches!(self.within, Within::Thread(..))
    }

    /// What the order is by. Ids repeat only across organizations; within one, the shorter key is the index's own.
    fn columns(&self) -> &'static [&'static str] {
        match self.within {
            Within::Thread(..) => &["m.position"],
            Within::Org(_) => &ACROSS[..3],
            Within::Everywhere(_) => &ACROSS,
        }
    }

    pub(crate) fn order(&self, read: &Bounds) -> String {
        in_order(self.columns(), read.newest_first)
    }

    fn values(&self, key: &SearchKey) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::new();
        if let Some(created_at) = key.created_at {
            values.extend([created_at.into(), (*key.thread.as_uuid()).into()]);
        }
        values.extend([key.position.get().into(), key.org_id.as_str().into()]);
        values.truncate(self.columns().len());
        values
    }
}

/// Where messages are read from, in order.
pub(crate) struct Source {
    /// What stands behind FROM, up to a condition: more can be added.
    pub(crate) from: String,
    pub(crate) order: String,
    /// The column that the order has besides the place, if there is one.
    pub(crate) number: &'static str,
}

impl Source {
    fn table(order: String, condition: &str) -> Self {
        Self { from: format!("chat_message m WHERE {condition}"), order, number: "" }
    }
}

/// The segments of a path, as what stands behind FROM. The text so far is empty, and stays so.
fn segments(sql: Sql, path: &Path) -> (Sql, String) {
    let [branches, after, through] = row::path_values(path.segments());
    let mut sql = sql.bind("unnest(", branches).bind("::integer[], ", after).bind("::bigint[], ", through);
    let text = format!("{}::bigint[]) WITH ORDINALITY AS s (branch, after, through, n)", sql.take_text());
    (sql, text)
}

const IS_IN_SEGMENT: &str = "m.position > s.after AND m.position <= s.through";

const ACROSS: [&str; 4] = ["m.created_at", "m.chat_thread_id", "m.position", "m.org_id"];

fn in_order(columns: &[&str], is_descending: bool) -> String {
    let direction = if is_descending { " DESC" } else { "" };
    let columns: Vec<_> = columns.iter().map(|column| format!("{column}{direction}")).collect();
    format!(" ORDER BY {}", columns.join(", "))
}

fn limit(rows: usize) -> String {
    format!(" LIMIT {}", size(rows))
}
