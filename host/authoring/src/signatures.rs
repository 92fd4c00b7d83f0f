//! What the functions of a plugin's world take and answer, in JSON, for the SDKs of languages whose values have no such types: there
//! an integer that does not fit would be made another one without a word.
//!
//! ```json
//! {"exports": {"local:books/ledger@0.1.0": {"count": {"takes": ["string"], "answers": {"result": {"ok": "u32", "err": "string"}}}}}}
//! ```

use serde_json::{Map, Value, json};
use wit_parser::{Function, Resolve, Type, TypeDefKind, WorldItem, WorldKey};

use crate::wit::Wit;

/// Of what the world imports and exports, by the interfaces' ids and the functions' names; a world's own functions are under "".
pub(crate) fn signatures(wit: &Wit) -> Value {
    let world = &wit.resolve.worlds[wit.world];
    let all = |items: &mut dyn Iterator<Item = (&WorldKey, &WorldItem)>| {
        let mut interfaces: Map<String, Value> = Map::new();
        for (key, item) in items {
            let (id, functions): (_, Vec<_>) = match item {
                WorldItem::Interface { id, .. } => (
                    wit.resolve.name_world_key(key),
                    wit.resolve.interfaces[*id].functions.values().collect(),
                ),
                WorldItem::Function(function) => (String::new(), vec![function]),
                WorldItem::Type { .. } => continue,
            };
            let interface = interfaces.entry(id).or_insert_with(|| json!({}));
            for function in functions {
                interface[&function.name] = signature(&wit.resolve, function);
            }
        }
        interfaces
    };
    json!({
        "imports": all(&mut world.imports.iter()),
        "exports": all(&mut world.exports.iter()),
    })
}

fn signature(resolve: &Resolve, function: &Function) -> Value {
    let takes = function.params.iter();
    let takes: Vec<_> = takes.map(|param| shape(resolve, &param.ty)).collect();
    json!({ "takes": takes, "answers": shape_of(resolve, function.result.as_ref()) })
}

fn shape_of(resolve: &Resolve, ty: Option<&Type>) -> Value {
    ty.map_or(Value::Null, |ty| shape(resolve, ty))
}

/// Null is whatever the bindings make of it.
fn shape(resolve: &Resolve, ty: &Type) -> Value {
    let id = match ty {
        Type::Bool => return "bool".into(),
        Type::U8 => return "u8".into(),
        Type::U16 => return "u16".into(),
        Type::U32 => return "u32".into(),
        Type::U64 => return "u64".into(),
        Type::S8 => return "s8".into(),
        Type::S16 => return "s16".into(),
        Type::S32 => return "s32".into(),
        Type::S64 => return "s64".into(),
        Type::F32 => return "f32".into(),
        Type::F64 => return "f64".into(),
        Type::String => return "string".into(),
        Type::Char | Type::ErrorContext => return Value::Null,
        Type::Id(id) => *id,
    };
    let named = |all: &mut dyn Iterator<Item = (&String, Option<&Type>)>| -> Value {
        let all = all.map(|(name, ty)| (name.clone(), shape_of(resolve, ty)));
        Value::Object(all.collect())
    };
    match &resolve.types[id].kind {
        TypeDefKind::Type(ty) => shape(resolve, ty),
        TypeDefKind::Option(ty) => json!({ "option": shape(resolve, ty) }),
        TypeDefKind::List(ty) => json!({ "list": shape(resolve, ty) }),
        TypeDefKind::Tuple(tuple) => {
            let types = tuple.types.iter().map(|ty| shape(resolve, ty));
            json!({ "tuple": types.collect::<Vec<_>>() })
        }
        TypeDefKind::Result(result) => json!({ "result": {
            "ok": shape_of(resolve, result.ok.as_ref()),
            "err": shape_of(resolve, result.err.as_ref()),
        } }),
        TypeDefKind::Record(record) => {
            let mut fields = record
                .fields
                .iter()
                .map(|field| (&field.name, Some(&field.ty)));
            json!({ "record": named(&mut fields) })
        }
        TypeDefKind::Variant(variant) => {
            let mut cases = variant
                .cases
                .iter()
                .map(|case| (&case.name, case.ty.as_ref()));
            json!({ "variant": named(&mut cases) })
        }
        TypeDefKind::Enum(enumeration) => {
            let cases = enumeration.cases.iter().map(|case| case.name.clone());
            json!({ "enum": cases.collect::<Vec<_>>() })
        }
        _ => Value::Null,
    }
}
