//! Changes to a JSON document that keep it JSON: what another version of the API would do.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::PLANTED;

/// One change at one place.
#[derive(Clone, Debug)]
pub struct Mutation {
    place: Index,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// The member or part is gone.
    Drop,
    /// A value of another type.
    Replace(Value),
    /// A number becomes a text, a text a number.
    Retype,
    /// It stands inside a list, or an object, of its own.
    Wrap(bool),
    /// It changes places with another.
    Swap(Index),
    /// It takes the value of another.
    Copy(Index),
    /// An object gets another member.
    Add(String, Value),
}

pub fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    prop::collection::vec(mutation(), 0..6)
}

fn mutation() -> impl Strategy<Value = Mutation> {
    (any::<Index>(), kind()).prop_map(|(place, kind)| Mutation { place, kind })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Drop),
        any_value().prop_map(Kind::Replace),
        Just(Kind::Retype),
        any::<bool>().prop_map(Kind::Wrap),
        any::<Index>().prop_map(Kind::Swap),
        any::<Index>().prop_map(Kind::Copy),
        ("[a-z_]{1,10}|\\PC{0,6}", any_value()).prop_map(|(name, value)| Kind::Add(name, value)),
    ]
}

/// Values that have broken readers of JSON before.
pub fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(u64::MAX)),
        Just(json!(-0.0)),
        Just(json!(1e308)),
        Just(json!(9_007_199_254_740_993_u64)),
        Just(json!("9223372036854775808")),
        Just(json!("00")),
        Just(json!("a\u{0}b\r\nSet-Cookie: c=d; e")),
        Just(json!("\u{202e}\u{1b}[31m")),
        Just(json!(PLANTED)),
        Just(json!("ok")),
        Just(json!("fail")),
        Just(json!([])),
        Just(json!({})),
        (1_usize..160).prop_map(nest),
        "\\PC{0,16}".prop_map(Value::from),
    ]
}

fn nest(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, level| {
        if level % 2 == 0 {
            json!([inner])
        } else {
            json!({ "a": inner })
        }
    })
}

/// `document` after `mutations`.
pub fn mutated(mut document: Value, mutations: &[Mutation]) -> Value {
    for mutation in mutations {
        let places = places(&document);
        let place = mutation.place.get::<String>(&places).clone();
        let other = |index: &Index| document.pointer(index.get::<String>(&places)).cloned();
        let Some(value) = document.pointer(&place).cloned() else {
            continue;
        };
        let new = match &mutation.kind {
            Kind::Drop => {
                drop_at(&mut document, &place);
                continue;
            }
            Kind::Replace(new) => new.clone(),
            Kind::Retype => retyped(&value),
            Kind::Wrap(true) => json!([value]),
            Kind::Wrap(false) => json!({ "status": value }),
            Kind::Copy(index) => other(index).unwrap_or_default(),
            Kind::Swap(index) => {
                let there = index.get::<String>(&places).clone();
                let new = other(index).unwrap_or_default();
                // Not into itself, which would lose what is around.
                if there.starts_with(&place) || place.starts_with(&there) {
                    continue;
                }
                if let Some(slot) = document.pointer_mut(&there) {
                    *slot = value;
                }
                new
            }
            Kind::Add(name, new) => {
                let mut grown = value;
                if let Some(members) = grown.as_object_mut() {
                    members.insert(name.clone(), new.clone());
                }
                grown
            }
        };
        if let Some(slot) = document.pointer_mut(&place) {
            *slot = new;
        }
    }
    document
}

fn retyped(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Bool(true)),
        other => Value::String(other.to_string()),
    }
}

fn drop_at(document: &mut Value, place: &str) {
    let Some((parent, name)) = place.rsplit_once('/') else {
        return;
    };
    let name = name.replace("~1", "/").replace("~0", "~");
    match document.pointer_mut(parent) {
        Some(Value::Object(members)) => drop(members.shift_remove(&name)),
        Some(Value::Array(parts)) => {
            if let Ok(at) = name.parse::<usize>()
                && at < parts.len()
            {
                parts.remove(at);
            }
        }
        _ => {}
    }
}

/// Pointers to every value, the whole first.
fn places(document: &Value) -> Vec<String> {
    fn collect(value: &Value, at: &str, into: &mut Vec<String>) {
        into.push(at.to_owned());
        match value {
            Value::Array(parts) => {
                for (place, part) in parts.iter().enumerate() {
                    collect(part, &format!("{at}/{place}"), into);
                }
            }
            Value::Object(members) => {
                for (name, part) in members {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    collect(part, &format!("{at}/{name}"), into);
                }
            }
            _ => {}
        }
    }
    let mut into = Vec::new();
    collect(document, "", &mut into);
    into
}
