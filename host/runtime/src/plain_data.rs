//! Types that can cross from plugin to plugin or to a command line: which can, and how a signature reads.

use wasmtime::component::Type;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::wasm_wave::wasm::DisplayType;

/// Parameters and result as a person reads them.
pub(crate) fn signature(ty: &ComponentFunc) -> String {
    let show = |ty: &Type| {
        if has_resource(ty) {
            "resource".to_owned()
        } else {
            DisplayType(ty).to_string()
        }
    };
    let params: Vec<_> = ty
        .params()
        .map(|(name, ty)| format!("{name}: {}", show(&ty)))
        .collect();
    let result = ty
        .results()
        .next()
        .map(|ty| format!(" -> {}", show(&ty)))
        .unwrap_or_default();
    format!("({}){result}", params.join(", "))
}

/// Whether a handle, a stream or a future is in it, which live only inside one store.
fn has_resource(ty: &Type) -> bool {
    match ty {
        Type::Own(_) | Type::Borrow(_) | Type::Future(_) | Type::Stream(_) | Type::ErrorContext => {
            true
        }
        Type::List(list) => has_resource(&list.ty()),
        Type::FixedLengthList(list) => has_resource(&list.ty()),
        Type::Map(map) => has_resource(&map.key()) || has_resource(&map.value()),
        Type::Record(record) => record.fields().any(|field| has_resource(&field.ty)),
        Type::Tuple(tuple) => tuple.types().any(|ty| has_resource(&ty)),
        Type::Variant(variant) => variant
            .cases()
            .any(|case| case.ty.as_ref().is_some_and(has_resource)),
        Type::Option(option) => has_resource(&option.ty()),
        Type::Result(result) => {
            result.ok().as_ref().is_some_and(has_resource)
                || result.err().as_ref().is_some_and(has_resource)
        }
        _ => false,
    }
}

/// Whether [`has_resource`] is true of a parameter or the result.
pub(crate) fn takes_or_gives_resource(ty: &ComponentFunc) -> bool {
    ty.params()
        .map(|(_, ty)| ty)
        .chain(ty.results())
        .any(|ty| has_resource(&ty))
}
