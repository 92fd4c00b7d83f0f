//! Writes the implementation of `FromRow`: which columns a struct needs, and the struct out of one row.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, Lifetime, LitStr, Type};

/// The implementation for the struct of `input`.
pub(crate) fn expand(input: TokenStream) -> Result<TokenStream, Error> {
    let input: DeriveInput = syn::parse2(input)?;
    refuse_container_attributes(&input)?;
    let columns = named_fields(&input)?
        .map(Source::of)
        .collect::<Result<Vec<_>, _>>()?;
    refuse_one_column_twice(&columns)?;

    let name = &input.ident;
    let struct_name = name.unraw().to_string();
    let row = row_lifetime(&input)?;
    let finds = columns.iter().map(|column| column.find(&row, &struct_name));
    let reads = columns.iter().map(|column| column.read(&row, &struct_name));

    let mut generics = input.generics.clone();
    if generics.lifetimes().next().is_none() {
        generics.params.insert(0, syn::parse_quote!(#row));
    }
    // Only where a field's type can depend on a parameter: for others the compiler's own message names the field.
    if input.generics.type_params().next().is_some() {
        let bounds = columns.iter().map(|column| column.bound(&row));
        generics.make_where_clause().predicates.extend(bounds);
    }
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let (_, type_generics, _) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #impl_generics ::poolhouse::database::FromRow<#row> for #name #type_generics #where_clause {
            fn find_columns(
                columns: &mut ::poolhouse::database::ColumnFinder<'_>,
            ) -> ::core::result::Result<(), ::poolhouse::database::Error> {
                #(#finds)*
                ::core::result::Result::Ok(())
            }

            fn from_row(
                fields: &mut ::poolhouse::database::Fields<#row, '_>,
            ) -> ::core::result::Result<Self, ::poolhouse::database::Error> {
                ::core::result::Result::Ok(Self { #(#reads)* })
            }
        }
    })
}

/// Where one field's value comes from.
struct Source<'a> {
    field: &'a Ident,
    ty: &'a Type,
    kind: SourceKind,
}

enum SourceKind {
    Column { name: LitStr, or_default: bool },
    Flatten,
}

impl<'a> Source<'a> {
    fn of(field: &'a Field) -> Result<Self, Error> {
        let Some(ident) = &field.ident else {
            return Err(Error::new(field.span(), NAMED_FIELDS));
        };
        let mut rename: Option<LitStr> = None;
        let mut or_default = false;
        let mut flatten = None;
        for attribute in &field.attrs {
            if !attribute.path().is_ident("row") {
                continue;
            }
            attribute.parse_nested_meta(|meta| {
                let twice = |given: bool| {
                    given.then(|| meta.error("this is given twice; give it once")).map_or(Ok(()), Err)
                };
                if meta.path.is_ident("rename") {
                    twice(rename.is_some())?;
                    rename = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("default") {
                    twice(or_default)?;
                    or_default = true;
                } else if meta.path.is_ident("flatten") {
                    twice(flatten.is_some())?;
                    flatten = Some(meta.path.span());
                } else {
                    return Err(meta.error(
                        "unknown attribute; a field takes `rename = \"column\"`, `default` or `flatten`",
                    ));
                }
                Ok(())
            })?;
        }
        let kind = match flatten {
            Some(span) if rename.is_some() || or_default => {
                return Err(Error::new(
                    span,
                    "`flatten` reads a struct of its own columns; it goes with neither `rename` nor `default`",
                ));
            }
            Some(_) => SourceKind::Flatten,
            None => SourceKind::Column {
                name: rename
                    .unwrap_or_else(|| LitStr::new(&ident.unraw().to_string(), ident.span())),
                or_default,
            },
        };
        Ok(Self {
            field: ident,
            ty: &field.ty,
            kind,
        })
    }

    /// `Struct.field`, for messages.
    fn label(&self, struct_name: &str) -> String {
        format!("{struct_name}.{}", self.field.unraw())
    }

    fn find(&self, row: &Lifetime, struct_name: &str) -> TokenStream {
        let label = self.label(struct_name);
        let ty = self.ty;
        match &self.kind {
            SourceKind::Column {
                name,
                or_default: false,
            } => quote!(columns.named(#label, #name)?;),
            SourceKind::Column {
                name,
                or_default: true,
            } => quote!(columns.named_or_absent(#label, #name)?;),
            SourceKind::Flatten => {
                quote!(<#ty as ::poolhouse::database::FromRow<#row>>::find_columns(columns)?;)
            }
        }
    }

    fn read(&self, row: &Lifetime, struct_name: &str) -> TokenStream {
        let label = self.label(struct_name);
        let (field, ty) = (self.field, self.ty);
        match &self.kind {
            SourceKind::Column {
                or_default: false, ..
            } => quote!(#field: fields.next::<#ty>(#label)?,),
            SourceKind::Column {
                or_default: true, ..
            } => quote!(#field: fields.next_or_default::<#ty>(#label)?,),
            SourceKind::Flatten => {
                quote!(#field: <#ty as ::poolhouse::database::FromRow<#row>>::from_row(fields)?,)
            }
        }
    }

    fn bound(&self, row: &Lifetime) -> syn::WherePredicate {
        let ty = self.ty;
        match &self.kind {
            SourceKind::Column {
                or_default: false, ..
            } => syn::parse_quote!(#ty: ::poolhouse::database::FromCell<#row>),
            SourceKind::Column {
                or_default: true, ..
            } => {
                syn::parse_quote!(#ty: ::poolhouse::database::FromCell<#row> + ::core::default::Default)
            }
            SourceKind::Flatten => syn::parse_quote!(#ty: ::poolhouse::database::FromRow<#row>),
        }
    }
}

const NAMED_FIELDS: &str = "FromRow reads fields by name: derive it for a struct with named fields, \
     or read a tuple such as `(String, i64)`, which goes by position";

fn named_fields(input: &DeriveInput) -> Result<impl Iterator<Item = &Field>, Error> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter()),
            Fields::Unnamed(_) | Fields::Unit => Err(Error::new(input.ident.span(), NAMED_FIELDS)),
        },
        Data::Enum(_) => Err(Error::new(
            input.ident.span(),
            "FromRow is for structs; an enum is one cell: implement `FromCell` for it",
        )),
        Data::Union(_) => Err(Error::new(input.ident.span(), NAMED_FIELDS)),
    }
}

fn refuse_container_attributes(input: &DeriveInput) -> Result<(), Error> {
    match input
        .attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("row"))
    {
        Some(attribute) => Err(Error::new(
            attribute.span(),
            "`row` attributes belong to fields: `rename = \"column\"`, `default` or `flatten`",
        )),
        None => Ok(()),
    }
}

fn refuse_one_column_twice(columns: &[Source<'_>]) -> Result<(), Error> {
    for (index, column) in columns.iter().enumerate() {
        let SourceKind::Column { name, .. } = &column.kind else {
            continue;
        };
        let before = columns[..index].iter().find(|other| {
            matches!(&other.kind, SourceKind::Column { name: other, .. } if other.value() == name.value())
        });
        if let Some(before) = before {
            return Err(Error::new(
                name.span(),
                format!(
                    "the fields `{}` and `{}` both read the column `{}`; rename one of them",
                    before.field.unraw(),
                    column.field.unraw(),
                    name.value()
                ),
            ));
        }
    }
    Ok(())
}

/// The lifetime of the rows that the struct borrows from: its own, where it has one.
fn row_lifetime(input: &DeriveInput) -> Result<Lifetime, Error> {
    let mut lifetimes = input.generics.lifetimes();
    match (lifetimes.next(), lifetimes.next()) {
        (None, _) => Ok(Lifetime::new(
            "'poolhouse_row",
            proc_macro2::Span::call_site(),
        )),
        (Some(row), None) => Ok(row.lifetime.clone()),
        (Some(_), Some(second)) => Err(Error::new(
            second.span(),
            "all that a struct borrows, it borrows from one row: give it one lifetime",
        )),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that finds no value has failed")]
mod tests {
    use super::*;

    #[test]
    fn what_can_not_be_derived_says_what_to_do() {
        for (input, message) in [
            (
                quote!(
                    enum Side {
                        Buy,
                        Sell,
                    }
                ),
                "implement `FromCell` for it",
            ),
            (
                quote!(
                    struct Pair(i64, i64);
                ),
                "read a tuple such as",
            ),
            (
                quote!(
                    struct Nothing;
                ),
                "derive it for a struct with named fields",
            ),
            (
                quote!(union Either { a: i64, b: f64 }),
                "a struct with named fields",
            ),
            (
                quote!(
                    #[row(rename = "x")]
                    struct A {
                        a: i64,
                    }
                ),
                "belong to fields",
            ),
            (
                quote!(
                    struct A {
                        #[row(renam = "x")]
                        a: i64,
                    }
                ),
                "a field takes `rename",
            ),
            (
                quote!(
                    struct A {
                        #[row(rename = 1)]
                        a: i64,
                    }
                ),
                "expected string literal",
            ),
            (
                quote!(
                    struct A {
                        #[row(default, default)]
                        a: i64,
                    }
                ),
                "given twice",
            ),
            (
                quote!(
                    struct A {
                        #[row(flatten, default)]
                        a: B,
                    }
                ),
                "goes with neither",
            ),
            (
                quote!(
                    struct A {
                        #[row(rename = "x", flatten)]
                        a: B,
                    }
                ),
                "goes with neither",
            ),
            (
                quote!(
                    struct A {
                        a: i64,
                        #[row(rename = "a")]
                        b: i64,
                    }
                ),
                "the fields `a` and `b` both read the column `a`",
            ),
            (
                quote!(
                    struct A<'a, 'b> {
                        a: &'a str,
                        b: &'b str,
                    }
                ),
                "give it one lifetime",
            ),
        ] {
            let error = expand(input.clone()).unwrap_err().to_string();
            assert!(error.contains(message), "{input}: {error}");
        }
    }

    #[test]
    fn raw_names_are_columns_without_their_prefix() {
        let code = expand(quote!(
            struct A {
                r#type: i64,
            }
        ))
        .unwrap()
        .to_string();
        assert!(
            code.contains("\"type\"") && code.contains("\"A.type\""),
            "{code}"
        );
    }
}
