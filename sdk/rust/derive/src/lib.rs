//! `#[derive(FromRow)]` for the crate `poolhouse`, which exports it; what the code that it writes calls is there.

mod from_row;

/// Reads a struct out of a row: each field from the column of its name.
///
/// The documentation is with the trait, `poolhouse::database::FromRow`.
#[proc_macro_derive(FromRow, attributes(row))]
pub fn derive_from_row(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    from_row::expand(input.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
