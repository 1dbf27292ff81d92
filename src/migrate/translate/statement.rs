//! What becomes of each kind of statement.

use sqlparser::ast::{self, ObjectName, ObjectType, SchemaName};

use super::{Refusal, Translator, name, parse, refuse};
use crate::migrate::script::Statement;

/// Extensions whose functions are translated, or that change nothing here.
const EXTENSIONS: [&str; 8] =
    ["btree_gin", "btree_gist", "citext", "pg_stat_statements", "pg_trgm", "pgcrypto", "plpgsql", "uuid-ossp"];

impl Translator<'_> {
    /// Takes one statement of the script.
    pub(super) fn take(&mut self, statement: &Statement) -> Result<(), Refusal> {
        let words: Vec<String> = statement.text.split_whitespace().take(2).map(str::to_ascii_lowercase).collect();
        if words.first().is_some_and(|word| word == "alter") && gives_away(&statement.text) {
            return Ok(());
        }
        match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["alter", "sequence"] => return self.alter_sequence(&statement.text),
            ["alter", "view"] => return self.alter_view(&statement.text),
            // Parameters of a session of Postgres, and what Supabase's realtime server listens to.
            ["set" | "reset", ..] | ["create" | "alter" | "drop", "publication"] => return Ok(()),
            // What a server keeps about itself, whom it tells, and what waits for whom: a script runs alone.
            ["create" | "alter" | "drop", "statistics"] | ["alter", "database"] => return Ok(()),
            ["notify" | "listen" | "unlisten" | "lock" | "reindex", ..] => return Ok(()),
            ["alter", "role"] if sets_parameter(&statement.text) => return Ok(()),
            ["do", ..] => {
                return match parse::guarded_roles(&statement.text) {
                    Some(roles) => self.create_guarded_roles(&roles),
                    None => refuse("of DO only a guard around CREATE ROLE is supported"),
                };
            }
            ["alter", "default"] => return self.alter_default_privileges(&statement.text),
            _ => {}
        }
        if parse::creates_function(&statement.text) {
            return self.create_function(&statement.text);
        }
        if let Some((function, comment)) = parse::comment_on_function(&statement.text)? {
            return self.comment_on_function(&function, comment);
        }
        if let (text, Some(check)) = parse::take_check_option(&statement.text)
            && let ast::Statement::CreateView(create) = parse::statement(&text)?
        {
            self.create_view(&create)?;
            return self.set_check_option(&name::local(&create.name)?, Some(&check));
        }
        let (text, sequence) = parse::take_sequence_name(&statement.text);
        let parsed = parse::statement(&text)?;
        self.take_parsed(&parsed, &statement.text, sequence.as_deref(), statement.copy.as_deref())
    }

    fn take_parsed(
        &mut self,
        statement: &ast::Statement,
        text: &str,
        sequence: Option<&str>,
        rows: Option<&str>,
    ) -> Result<(), Refusal> {
        use ast::Statement as Parsed;
        match statement {
            Parsed::CreateTable(create) => self.create_table(create),
            Parsed::AlterTable(alter) => self.alter_table(alter, sequence),
            Parsed::CreateIndex(create) => self.create_index(create),
            Parsed::CreateView(create) => self.create_view(create),
            Parsed::CreateType { name, representation } => self.create_type(name, representation.as_ref()),
            Parsed::AlterType(alter) => self.alter_type(alter),
            Parsed::CreateDomain(create) => self.create_domain(create),
            Parsed::DropDomain(drop) => self.drop_type(&name::local(&drop.name)?, drop.if_exists),
            Parsed::CreateSequence { name, sequence_options, .. } => self.create_sequence(name, sequence_options),
            Parsed::Drop { object_type, if_exists, names, cascade, .. } => {
                names.iter().try_for_each(|name| self.drop_object(object_type, name, *if_exists, *cascade))
            }
            Parsed::Comment { object_type, object_name, comment, .. } => {
                self.comment(*object_type, object_name, comment.as_deref())
            }
            Parsed::Insert(_) | Parsed::Update(_) | Parsed::Delete(_) => self.change_rows(statement),
            Parsed::Truncate(truncate) => self.truncate(truncate),
            Parsed::Copy { source, to: false, target, options, .. } => self.copy(source, target, options, rows),
            Parsed::Query(query) => self.query_alone(query),
            Parsed::CreateRole(create) => self.create_role(create),
            Parsed::AlterRole { name, operation } => self.alter_role(name, operation),
            Parsed::CreatePolicy(create) => self.create_policy(create),
            Parsed::AlterPolicy(alter) => self.alter_policy(alter),
            Parsed::DropPolicy(drop) => self.drop_policy(drop),
            Parsed::Grant(grant) => self.grant(grant),
            Parsed::Revoke(revoke) => self.revoke(revoke),
            Parsed::GrantRole(grant) => self.grant_role(&grant.roles, &grant.grantees),
            Parsed::RevokeRole(revoke) => self.revoke_role(&revoke.roles, &revoke.grantees),
            // A script is one transaction already, and SQLite's planner keeps what statistics it has.
            Parsed::StartTransaction { .. } | Parsed::Commit { .. } | Parsed::Analyze(_) => Ok(()),
            Parsed::CreateSchema { schema_name, .. } => create_schema(schema_name),
            Parsed::CreateExtension(create) => {
                let extension = name::fold(&create.name);
                if EXTENSIONS.contains(&extension.as_str()) {
                    return Ok(());
                }
                refuse(format!("the extension \"{extension}\" does not exist there"))
            }
            Parsed::DropFunction(drop) => self.drop_functions(drop),
            Parsed::AlterFunction(alter) => self.alter_function(alter, text),
            Parsed::DropTrigger(drop) if drop.if_exists => Ok(()),
            Parsed::CreateTrigger(_) => refuse("triggers are not supported on SQLite"),
            _ => refuse("this kind of statement is not supported"),
        }
    }

    fn drop_object(
        &mut self,
        kind: &ObjectType,
        name: &ObjectName,
        if_exists: bool,
        cascade: bool,
    ) -> Result<(), Refusal> {
        match kind {
            ObjectType::Table => self.drop_table(&name::local(name)?, if_exists, cascade),
            ObjectType::View => self.drop_view(&name::local(name)?, if_exists),
            ObjectType::Index => self.drop_index(&name::local(name)?, if_exists),
            ObjectType::Type => self.drop_type(&name::local(name)?, if_exists),
            ObjectType::Role | ObjectType::User => self.drop_role(&name::parts(name)?.join("."), if_exists),
            ObjectType::Sequence => {
                self.schema.sequences.remove(&name::local(name)?);
                Ok(())
            }
            other => refuse(format!("DROP {other} is not supported")),
        }
    }

    fn drop_table(&mut self, name: &str, if_exists: bool, cascade: bool) -> Result<(), Refusal> {
        if !self.schema.tables.contains_key(name) && !self.schema.foreign.contains_key(name) {
            return if if_exists { Ok(()) } else { refuse(format!("table \"{name}\" does not exist")) };
        }
        let others =
            |of: &super::model::Table| of.name != name && of.foreign_keys.iter().any(|key| key.references == name);
        let dependent: Vec<String> =
            self.schema.tables.values().filter(|table| others(table)).map(|table| table.name.clone()).collect();
        if let (Some(dependent), false) = (dependent.first(), cascade) {
            return refuse(format!("cannot drop table {name}: a foreign key of \"{dependent}\" depends on it"));
        }
        match self.schema.policy_reading(name) {
            Some((of, policy)) if !cascade => {
                return refuse(format!("cannot drop table {name}: the policy \"{policy}\" of \"{of}\" depends on it"));
            }
            _ => self.schema.drop_policies_reading(name),
        }
        for table in dependent {
            self.will_alter(&table);
            self.schema.require_table(&table)?.foreign_keys.retain(|key| key.references != name);
        }
        if self.forget_pending(name) {
            self.execute(format!("DROP TABLE {}", name::quote(name)));
        }
        self.schema.forget_relation(name);
        Ok(())
    }

    fn drop_view(&mut self, name: &str, if_exists: bool) -> Result<(), Refusal> {
        if !self.schema.views.contains_key(name) {
            return if if_exists { Ok(()) } else { refuse(format!("view \"{name}\" does not exist")) };
        }
        self.execute(format!("DROP VIEW {}", name::quote(name)));
        self.schema.forget_relation(name);
        Ok(())
    }
}

/// True for `ALTER … OWNER TO …`: SQLite's objects have no owner. A column that is called so may still be renamed.
fn gives_away(text: &str) -> bool {
    let mut words = text.split_whitespace().rev().skip(1).map(str::to_ascii_lowercase);
    words.next().as_deref() == Some("to")
        && words.next().as_deref() == Some("owner")
        && !matches!(words.next().as_deref(), Some("column" | "rename"))
}

/// True for `ALTER ROLE … SET parameter …` and `RESET`: parameters of the sessions of a role.
fn sets_parameter(text: &str) -> bool {
    let mut words = text.split_whitespace().skip(3).map(str::to_ascii_lowercase);
    let first = words.next();
    let verb = if first.as_deref() == Some("in") { words.nth(2) } else { first };
    matches!(verb.as_deref(), Some("set" | "reset"))
}

/// The one schema is there: `pg_dump` creates it all the same.
fn create_schema(schema: &SchemaName) -> Result<(), Refusal> {
    let (SchemaName::Simple(name) | SchemaName::NamedAuthorization(name, _)) = schema else {
        return refuse("a schema needs a name");
    };
    let name = name::parts(name)?.join(".");
    if name != name::SCHEMA {
        return refuse(format!("the schema \"{name}\" cannot be made: SQLite has one, \"{}\"", name::SCHEMA));
    }
    Ok(())
}
