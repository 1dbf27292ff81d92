//! `CREATE FUNCTION`, `ALTER FUNCTION` and `DROP FUNCTION` → the model; who may call a function.
//!
//! Only functions in SQL are taken. Their bodies are kept in PostgreSQL's syntax and translated ([`body`]) whenever
//! what migrations have made is noted, so that they follow the tables.
//!
//! Source: <https://www.postgresql.org/docs/current/sql-createfunction.html>.

pub(super) mod body;

use std::collections::BTreeSet;

use sqlparser::ast::{
    AlterFunction, AlterFunctionAction, AlterFunctionOperation, ArgMode, CreateFunction, CreateFunctionBody, DataType,
    DropFunction, Expr, FunctionBehavior, FunctionCalledOnNull, FunctionDesc, FunctionReturnType, FunctionSecurity,
    OperateFunctionArg, Statement, Value,
};

use super::default_privilege::{EXECUTE, NO_EXECUTE};
use super::model::{Function, Mode, Parameter};
use super::schema::ObjectKind;
use super::{Refusal, Translator, name, parse, refuse, types};
use crate::catalog::{Bearer, EVERYONE, Template, Volatility};

impl Translator<'_> {
    /// Takes `CREATE FUNCTION`, whose text it keeps.
    pub(super) fn create_function(&mut self, text: &str) -> Result<(), Refusal> {
        if Template::is_ambiguous(text) {
            return refuse("the function holds a code point that stands for no character");
        }
        let (plain, rows) = parse::take_planner_hints(text);
        let Statement::CreateFunction(create) = parse::statement(&plain)? else {
            return refuse("expected CREATE FUNCTION");
        };
        let function = self.read_function(&create, text, rows)?;
        let signature = function.signature();
        let replaced = self.schema.functions.get(&signature);
        let grantees = match replaced {
            Some(_) if !create.or_replace => {
                return refuse(format!("function \"{signature}\" already exists with same argument types"));
            }
            Some(replaced) => {
                check_replacement(replaced, &function)?;
                replaced.grantees.clone()
            }
            None => self.schema.default_callers(),
        };
        let function = Function { grantees, ..function };
        body::routine(&function, self.schema)?;
        self.schema.functions.insert(signature, function);
        Ok(())
    }

    fn read_function(&self, create: &CreateFunction, text: &str, rows: Option<u64>) -> Result<Function, Refusal> {
        let language = create.language.as_ref().map(name::fold);
        match language.as_deref() {
            Some("sql") => {}
            None if matches!(
                create.function_body,
                Some(CreateFunctionBody::Return(_) | CreateFunctionBody::BeginAtomic(_))
            ) => {}
            Some(other) => return refuse(format!("the language {other} is not supported: only sql is")),
            None => return refuse("no language specified"),
        }
        // Which settings a function runs with matters to `search_path` alone, and there is one schema.
        let mut parameters = Vec::new();
        for argument in create.args.iter().flatten() {
            parameters.push(self.read_parameter(argument)?);
        }
        let is_variadic = |parameter: &Parameter| parameter.mode == Mode::Variadic;
        if let Some(variadic) = parameters.iter().find(|it| is_variadic(it) && !it.declared.ends_with("[]")) {
            return refuse(format!("VARIADIC parameter \"{}\" must be an array", variadic.name));
        }
        let (returns, returns_set) = match &create.return_type {
            None => (None, false),
            Some(FunctionReturnType::DataType(DataType::Table(columns))) => {
                for column in columns.iter().flatten() {
                    let declared = types::routine_type(&column.data_type, self.schema)?;
                    parameters.push(Parameter {
                        name: name::fold(&column.name),
                        mode: Mode::Out,
                        declared,
                        default: None,
                    });
                }
                (None, true)
            }
            Some(FunctionReturnType::DataType(of)) => (Some(types::routine_type(of, self.schema)?), false),
            Some(FunctionReturnType::SetOf(of)) => (Some(types::routine_type(of, self.schema)?), true),
        };
        check_parameters(&parameters)?;
        let gives = parameters.iter().any(|parameter| matches!(parameter.mode, Mode::Out | Mode::InOut));
        if returns.is_none() && !gives {
            return refuse("function result type must be specified");
        }
        Ok(Function {
            name: name::local(&create.name)?,
            parameters,
            // With `OUT` parameters it says no more than that they are a row.
            returns: returns.filter(|_| !gives),
            returns_set,
            volatility: create.behavior.as_ref().map_or(Volatility::Volatile, volatility),
            strict: create.called_on_null.as_ref().is_some_and(is_strict),
            bearer: create.security.as_ref().map_or(Bearer::Caller, bearer),
            rows,
            body: body_text(create.function_body.as_ref())?,
            grantees: BTreeSet::new(),
            definition: format!("{text};\n"),
        })
    }

    fn read_parameter(&self, argument: &OperateFunctionArg) -> Result<Parameter, Refusal> {
        Ok(Parameter {
            name: argument.name.as_ref().map(name::fold).unwrap_or_default(),
            mode: match argument.mode {
                None | Some(ArgMode::In) => Mode::In,
                Some(ArgMode::Out) => Mode::Out,
                Some(ArgMode::InOut) => Mode::InOut,
                Some(ArgMode::Variadic) => Mode::Variadic,
            },
            declared: types::routine_type(&argument.data_type, self.schema)?,
            default: argument.default_expr.as_ref().map(ToString::to_string),
        })
    }

    pub(super) fn drop_functions(&mut self, drop: &DropFunction) -> Result<(), Refusal> {
        for of in &drop.func_desc {
            if let Some(signature) = self.find_function(of, drop.if_exists)? {
                self.schema.functions.remove(&signature);
                self.schema.comments.remove(&(ObjectKind::Function, signature, String::new()));
            }
        }
        Ok(())
    }

    /// `ALTER FUNCTION`, whose text it keeps.
    pub(super) fn alter_function(&mut self, alter: &AlterFunction, text: &str) -> Result<(), Refusal> {
        let Some(signature) = self.find_function(&alter.function, false)? else { return Ok(()) };
        let Some(mut function) = self.schema.functions.get(&signature).cloned() else { return Ok(()) };
        match &alter.operation {
            // SQLite's objects have no owner.
            AlterFunctionOperation::OwnerTo(_) => return Ok(()),
            AlterFunctionOperation::RenameTo { new_name } => function.name = name::fold(new_name),
            AlterFunctionOperation::Actions { actions, .. } => {
                actions.iter().for_each(|action| change(&mut function, action));
            }
            AlterFunctionOperation::SetSchema { .. } | AlterFunctionOperation::DependsOnExtension { .. } => {
                return refuse(format!("{} is not supported", alter.operation));
            }
        }
        function.definition += &format!("{text};\n");
        let renamed = function.signature();
        if renamed != signature && self.schema.functions.contains_key(&renamed) {
            return refuse(format!("function \"{renamed}\" already exists"));
        }
        body::routine(&function, self.schema)?;
        self.schema.functions.remove(&signature);
        self.schema.functions.insert(renamed.clone(), function);
        if let Some(comment) = self.schema.comments.remove(&(ObjectKind::Function, signature, String::new())) {
            self.schema.comments.insert((ObjectKind::Function, renamed, String::new()), comment);
        }
        Ok(())
    }

    /// `COMMENT ON FUNCTION`.
    pub(super) fn comment_on_function(&mut self, of: &FunctionDesc, comment: Option<String>) -> Result<(), Refusal> {
        let Some(signature) = self.find_function(of, false)? else { return Ok(()) };
        let key = (ObjectKind::Function, signature, String::new());
        match comment.filter(|comment| !comment.is_empty()) {
            Some(comment) => drop(self.schema.comments.insert(key, comment)),
            None => drop(self.schema.comments.remove(&key)),
        }
        Ok(())
    }

    /// The signature of the function that is meant: by its types, or by a name that no other has. `None` when there is
    /// none and need be none.
    pub(super) fn find_function(&self, of: &FunctionDesc, if_exists: bool) -> Result<Option<String>, Refusal> {
        let name = name::local(&of.name)?;
        let missing = |signature: String| {
            if if_exists { Ok(None) } else { refuse(format!("function {signature} does not exist")) }
        };
        let Some(arguments) = &of.args else {
            let mut named = self.schema.functions.iter().filter(|(_, function)| function.name == name);
            return match (named.next(), named.next()) {
                (Some((signature, _)), None) => Ok(Some(signature.clone())),
                (Some(_), Some(_)) => refuse(format!("function name \"{name}\" is not unique")),
                (None, _) => missing(name),
            };
        };
        let mut taken = Vec::new();
        for argument in arguments.iter().filter(|argument| argument.mode != Some(ArgMode::Out)) {
            taken.push(types::routine_type(&argument.data_type, self.schema)?);
        }
        let signature = format!("{name}({})", taken.join(","));
        if self.schema.functions.contains_key(&signature) { Ok(Some(signature)) } else { missing(signature) }
    }

    /// Lets roles call functions, or no longer.
    pub(super) fn change_callers(&mut self, signatures: &[String], grantees: &[String], is_granted: bool) {
        for signature in signatures {
            let Some(function) = self.schema.functions.get_mut(signature) else { continue };
            for grantee in grantees {
                if is_granted {
                    function.grantees.insert(grantee.clone());
                } else {
                    function.grantees.remove(grantee);
                }
            }
        }
    }
}

impl super::schema::Schema {
    /// Who may call a new function: everyone, unless default privileges say otherwise.
    fn default_callers(&self) -> BTreeSet<String> {
        let mut callers: BTreeSet<String> =
            self.default_grants.iter().filter(|of| of.privilege == EXECUTE).map(|of| of.grantee.clone()).collect();
        if !self.default_grants.iter().any(|of| of.privilege == NO_EXECUTE) {
            callers.insert(EVERYONE.to_owned());
        }
        callers
    }
}

/// The statements of a body.
fn body_text(body: Option<&CreateFunctionBody>) -> Result<String, Refusal> {
    match body {
        Some(CreateFunctionBody::AsBeforeOptions { body: Expr::Value(value), link_symbol: None }) => match &value.value
        {
            Value::SingleQuotedString(text) => Ok(text.clone()),
            Value::DollarQuotedString(text) => Ok(text.value.clone()),
            other => refuse(format!("{other} is no body of a function")),
        },
        Some(CreateFunctionBody::Return(expression)) => Ok(format!("SELECT {expression}")),
        Some(CreateFunctionBody::BeginAtomic(statements)) => {
            Ok(statements.statements.iter().map(|statement| format!("{statement};\n")).collect())
        }
        Some(_) => refuse("this kind of body is not supported"),
        None => refuse("no function body specified"),
    }
}

fn volatility(behavior: &FunctionBehavior) -> Volatility {
    match behavior {
        FunctionBehavior::Immutable => Volatility::Immutable,
        FunctionBehavior::Stable => Volatility::Stable,
        FunctionBehavior::Volatile => Volatility::Volatile,
    }
}

fn is_strict(called_on_null: &FunctionCalledOnNull) -> bool {
    match called_on_null {
        FunctionCalledOnNull::CalledOnNullInput => false,
        FunctionCalledOnNull::ReturnsNullOnNullInput | FunctionCalledOnNull::Strict => true,
    }
}

fn bearer(security: &FunctionSecurity) -> Bearer {
    match security {
        FunctionSecurity::Definer => Bearer::Owner,
        FunctionSecurity::Invoker => Bearer::Caller,
    }
}

/// What `ALTER FUNCTION` says of a function; how costly it is, and what it may reveal, changes nothing here.
fn change(function: &mut Function, action: &AlterFunctionAction) {
    match action {
        AlterFunctionAction::CalledOnNull(of) => function.strict = is_strict(of),
        AlterFunctionAction::Behavior(of) => function.volatility = volatility(of),
        AlterFunctionAction::Security { security, .. } => function.bearer = bearer(security),
        AlterFunctionAction::Rows(rows) => function.rows = rows.to_string().parse().ok(),
        AlterFunctionAction::Leakproof(_)
        | AlterFunctionAction::Parallel(_)
        | AlterFunctionAction::Cost(_)
        | AlterFunctionAction::Support(_)
        | AlterFunctionAction::Set(_)
        | AlterFunctionAction::Reset(_) => {}
    }
}

fn check_parameters(parameters: &[Parameter]) -> Result<(), Refusal> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut given: BTreeSet<&str> = BTreeSet::new();
    let mut has_default = false;
    for parameter in parameters {
        let is_taken = parameter.mode != Mode::Out;
        let names = if is_taken { &mut taken } else { &mut given };
        if !parameter.name.is_empty() && !names.insert(&parameter.name) {
            return refuse(format!("parameter name \"{}\" used more than once", parameter.name));
        }
        if is_taken && has_default && parameter.default.is_none() {
            return refuse("input parameters after one with a default value must also have defaults");
        }
        has_default |= is_taken && parameter.default.is_some();
    }
    Ok(())
}

/// As on Postgres, what callers rely on may not change.
fn check_replacement(replaced: &Function, by: &Function) -> Result<(), Refusal> {
    let gives = |function: &Function| -> Vec<(String, String)> {
        function.given().map(|parameter| (parameter.name.clone(), parameter.declared.clone())).collect()
    };
    if replaced.returns != by.returns || replaced.returns_set != by.returns_set || gives(replaced) != gives(by) {
        return refuse("cannot change return type of existing function");
    }
    let renamed = replaced.taken().zip(by.taken()).find(|(old, new)| !old.name.is_empty() && old.name != new.name);
    if let Some((old, _)) = renamed {
        return refuse(format!("cannot change name of input parameter \"{}\"", old.name));
    }
    let lost = replaced.taken().zip(by.taken()).any(|(old, new)| old.default.is_some() && new.default.is_none());
    if lost { refuse("cannot remove parameter defaults from existing function") } else { Ok(()) }
}
