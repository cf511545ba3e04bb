//! One compiled filter and how it runs over records. Uses the filter language as jaq implements it; its `env` shows an
//! allow-list only, and there are no modules, so a filter reads no file.

use jaq_core::data::HasLut;
use jaq_core::load::{Arena, File, Loader, lex, parse};
use jaq_core::{Compiler, Ctx, DataT, Filter, Lut, Vars, compile, load, unwrap_valr};
use jaq_json::{Map, Val};
use jaq_std::input::{HasInputs, Inputs, RcIter};

use super::convert::{TooDeep, to_jq};
use super::wire::{Fault, Options};

impl From<TooDeep> for Fault {
    fn from(_: TooDeep) -> Self {
        Fault::TooDeep
    }
}

/// How to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// With the next output of this input.
    Output,
    /// With the next input.
    Input,
    /// Not at all.
    Stop,
}

/// Takes an output or a failure with the line of the input it belongs to (none: the one run over all).
pub type Emit<'a> = &'a mut dyn FnMut(Option<&[u8]>, Result<&Val, Fault>) -> Next;

/// What a filter sees beside its input.
struct Kind;

#[derive(Clone)]
struct Data<'a> {
    lut: &'a Lut<Kind>,
    inputs: Inputs<'a, Val>,
}

impl DataT for Kind {
    type V<'a> = Val;
    type Data<'a> = Data<'a>;
}

impl<'a> HasLut<'a, Kind> for Data<'a> {
    fn lut(&self) -> &'a Lut<Kind> {
        self.lut
    }
}

impl<'a> HasInputs<'a, Val> for Data<'a> {
    fn inputs(&self) -> Inputs<'a, Val> {
        self.inputs
    }
}

/// What jq has and jaq does not.
const OWN: &str = "def env: $ENV;
    def IN(values): . as $value | any(values; . == $value);
    def IN(stream; values): any(stream; IN(values));";

/// A compiled filter.
pub struct Program {
    filter: Filter<Kind>,
    options: Options,
    globals: Vec<Val>,
}

impl Program {
    /// Compiles a filter.
    pub fn compile(code: &str, options: Options) -> Result<Program, Fault> {
        let arena = Arena::default();
        let own = load::parse(OWN, |parser| parser.defs()).unwrap_or_default();
        let defs = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs())
            .chain(own);
        let inputs = jaq_std::input::funs::<Kind>()
            .into_vec()
            .into_iter()
            .map(jaq_core::native::run::<Kind>);
        let funs = jaq_core::funs::<Kind>()
            .chain(jaq_std::funs())
            .chain(inputs)
            .chain(jaq_json::funs());
        let file = File { code, path: () };
        let modules = Loader::new(defs)
            .load(&arena, file)
            .map_err(|errors| Fault::Syntax(load_errors(code, errors)))?;
        let names: Vec<String> = options.variables.iter().map(|(name, _)| format!("${name}")).collect();
        let variables = names.iter().map(String::as_str).chain(["$ENV", "$named"]);
        let filter = Compiler::default()
            .with_funs(funs.filter(|(name, ..)| *name != "env"))
            .with_global_vars(variables)
            .compile(modules)
            .map_err(|errors| Fault::Syntax(compile_errors(errors)))?;
        Ok(Program {
            filter,
            globals: globals(&options)?,
            options,
        })
    }

    /// Runs over the records, one line of JSON each, handing every output and every failed input to `emit`.
    /// An input that can't be had (a failure before it) counts as a failed one.
    pub fn run(&self, lines: impl Iterator<Item = Vec<u8>>, emit: Emit<'_>) {
        let lines = std::cell::RefCell::new(lines);
        let next = || lines.borrow_mut().next();
        let inputs = std::iter::from_fn(|| next().map(|line| read(&line)));
        let inputs = RcIter::new(Box::new(inputs) as Box<dyn Iterator<Item = Result<Val, String>> + '_>);
        let inputs: Inputs<'_, Val> = &inputs;
        if self.options.null_input {
            self.one(None, Ok(Val::Null), inputs, emit);
            return;
        }
        if self.options.slurp {
            let all: Result<Val, String> = inputs.collect();
            self.one(None, all.map_err(Fault::Failed), inputs, emit);
            return;
        }
        while let Some(line) = next() {
            let input = read(&line).map_err(Fault::Failed);
            if self.one(Some(&line), input, inputs, emit) == Next::Stop {
                return;
            }
        }
    }

    /// One input.
    fn one<'a>(
        &'a self,
        record: Option<&[u8]>,
        input: Result<Val, Fault>,
        inputs: Inputs<'a, Val>,
        emit: Emit<'_>,
    ) -> Next {
        let input = match input {
            Ok(input) => input,
            Err(fault) => return emit(record, Err(fault)),
        };
        let data = Data {
            lut: &self.filter.lut,
            inputs,
        };
        let context = Ctx::<Kind>::new(data, Vars::new(self.globals.iter().cloned()));
        for output in self.filter.id.run((context, input)).map(unwrap_valr) {
            let next = match output {
                Ok(value) => emit(record, Ok(&value)),
                // As jq does: a failure ends this input, the next one goes on.
                Err(error) => match emit(record, Err(Fault::Failed(error.to_string()))) {
                    Next::Stop => Next::Stop,
                    Next::Input | Next::Output => Next::Input,
                },
            };
            if next != Next::Output {
                return next;
            }
        }
        Next::Input
    }
}

fn read(line: &[u8]) -> Result<Val, String> {
    jaq_json::read::parse_single(line).map_err(|error| format!("the record can't be read: {error}"))
}

/// The values of all named variables, in the order in which their names were given to the compiler.
fn globals(options: &Options) -> Result<Vec<Val>, TooDeep> {
    let named: Vec<(Val, Val)> = options
        .variables
        .iter()
        .map(|(name, value)| Ok((Val::from(name.clone()), to_jq(value)?)))
        .collect::<Result<_, _>>()?;
    let environment = options.environment.iter();
    let environment: Map = environment
        .map(|(name, value)| (Val::from(name.clone()), Val::from(value.clone())))
        .collect();
    let values: Vec<Val> = named.iter().map(|(_, value)| value.clone()).collect();
    let all: Map = named.into_iter().collect();
    Ok(values
        .into_iter()
        .chain([Val::obj(environment), Val::obj(all)])
        .collect())
}

fn load_errors(code: &str, errors: load::Errors<&str, ()>) -> String {
    let mut texts = errors.into_iter().flat_map(|(_, error)| match error {
        load::Error::Io(all) => all
            .into_iter()
            .map(|(path, why)| format!("{path}: {why}"))
            .collect::<Vec<_>>(),
        load::Error::Lex(all) => all.into_iter().map(|error| lex_error(code, error)).collect(),
        load::Error::Parse(all) => all.into_iter().map(|error| parse_error(code, error)).collect(),
    });
    texts.next().unwrap_or_else(|| "the filter can't be read".to_owned())
}

fn lex_error(code: &str, (expected, found): lex::Error<&str>) -> String {
    format!("expected {}, found {}", expected.as_str(), fragment(code, found))
}

fn parse_error(code: &str, (expected, found): parse::Error<&str>) -> String {
    format!("expected {}, found {}", expected.as_str(), fragment(code, found))
}

/// The part at fault, and where it starts.
fn fragment(code: &str, part: &str) -> String {
    const SHOWN: usize = 30;
    if part.is_empty() {
        return "the end of the filter".to_owned();
    }
    let start = load::span(code, part).start;
    let column = code.get(..start).map_or(start, |before| before.chars().count()) + 1;
    let shown: String = part.chars().take(SHOWN).collect();
    format!("{shown:?} at column {column}")
}

fn compile_errors(errors: compile::Errors<&str, ()>) -> String {
    let mut texts = errors
        .into_iter()
        .flat_map(|(_, all)| all)
        .map(|(name, undefined)| match undefined {
            compile::Undefined::Filter(arity) => format!("there is no filter {name}/{arity}"),
            other => format!("there is no {} {name}", other.as_str()),
        });
    texts
        .next()
        .unwrap_or_else(|| "the filter can't be compiled".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::convert::write_json;
    use super::*;
    use serde_json::{Value, json};

    fn run(code: &str, records: Vec<Value>, options: Options) -> Result<Vec<Result<Value, Fault>>, Fault> {
        let program = Program::compile(code, options)?;
        let mut outputs = Vec::new();
        let lines = records.into_iter().map(|record| record.to_string().into_bytes());
        program.run(lines, &mut |_, output| {
            let output = output.and_then(|value| {
                let mut text = Vec::new();
                write_json(value, &mut text)?;
                Ok(serde_json::from_slice(&text).unwrap())
            });
            let failed = output.is_err();
            outputs.push(output);
            match (outputs.len() < 1000, failed) {
                (false, _) => Next::Stop,
                (true, true) => Next::Input,
                (true, false) => Next::Output,
            }
        });
        Ok(outputs)
    }

    fn values(code: &str, records: Vec<Value>, options: Options) -> Vec<Value> {
        run(code, records, options)
            .unwrap()
            .into_iter()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn filters_of_the_demo_and_the_common_options() {
        let with = |null_input, slurp| Options {
            null_input,
            slurp,
            ..Options::default()
        };
        let host = json!({"public_ip_address": "203.0.113.7"});
        let line = r#".public_ip_address | values | "ssh://admin@\(.)""#;
        assert_eq!(
            values(line, vec![host, json!({})], Options::default()),
            vec![json!("ssh://admin@203.0.113.7")]
        );
        assert_eq!(
            values("add", vec![json!(1), json!(2)], with(false, true)),
            vec![json!(3)]
        );
        assert_eq!(
            values("1, 2", vec![json!(9)], with(true, false)),
            vec![json!(1), json!(2)]
        );
        assert_eq!(
            values("[inputs]", vec![json!(8), json!(9)], with(true, false)),
            vec![json!([8, 9])]
        );
        assert_eq!(
            values("[., input]", vec![json!(8), json!(9)], with(false, false)),
            vec![json!([8, 9])]
        );
        let named = Options {
            variables: vec![("x".into(), json!("v"))],
            ..Options::default()
        };
        assert_eq!(
            values("$x, $named.x", vec![json!(0)], named),
            vec![json!("v"), json!("v")]
        );
    }

    #[test]
    fn env_shows_the_allow_list_only() {
        let options = Options {
            environment: vec![("LANG".into(), "C".into())],
            ..Options::default()
        };
        assert_eq!(
            values("env, $ENV", vec![json!(0)], options),
            vec![json!({"LANG": "C"}), json!({"LANG": "C"})]
        );
        assert_eq!(values("env", vec![json!(0)], Options::default()), vec![json!({})]);
        let among = values(
            "IN(2, 3), IN(.[]?; 2)",
            vec![json!(2), json!([1, 2])],
            Options::default(),
        );
        assert_eq!(among, [true, false, false, true].map(|is| json!(is)).to_vec());
    }

    #[test]
    fn errors_name_the_fault_and_its_place() {
        let fault = |code: &str| match Program::compile(code, Options::default()) {
            Err(Fault::Syntax(text)) => text,
            _ => String::new(),
        };
        assert_eq!(fault(".a | nope(1)"), "there is no filter nope/1");
        assert_eq!(fault("$x"), "there is no variable $x");
        assert!(fault(".a | )").contains("at column 6"), "{}", fault(".a | )"));
        assert!(fault(".a |").contains("the end of the filter"), "{}", fault(".a |"));
        assert!(!fault("import \"a\" as a; .").is_empty(), "there are no modules");
    }

    #[test]
    fn a_failed_input_is_told_and_the_next_goes_on() {
        let outputs = run(
            ".a.b",
            vec![json!({"a": 1}), json!({"a": {"b": 2}})],
            Options::default(),
        )
        .unwrap();
        assert!(
            matches!(&outputs[0], Err(Fault::Failed(text)) if text.contains('1')),
            "{outputs:?}"
        );
        assert_eq!(outputs[1], Ok(json!(2)));
    }

    #[test]
    fn an_endless_filter_stops_when_told_and_deep_values_are_faults() {
        assert_eq!(
            run("repeat(1)", vec![json!(0)], Options::default()).unwrap().len(),
            1000
        );
        let outputs = run("reduce range(1000) as $i (0; [.])", vec![json!(0)], Options::default()).unwrap();
        assert_eq!(outputs, vec![Err(Fault::TooDeep)]);
    }
}
