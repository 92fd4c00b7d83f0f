//! How deep components, and the types of components, are nested in a file's bytes, found without recursion; what else is in
//! them is not its matter.

use wasmparser::{
    BinaryReader, BinaryReaderError, ComponentImport, ComponentType, InstanceTypeDeclaration,
    Parser, Payload,
};

/// Components in components. Compilers nest two or three; the time to compile them grows with the square.
const MAX_COMPONENTS: usize = 100;

/// Types of components and of instances in each other, as they are written. Compilers nest three; each takes room of the stack
/// where it is read, validated and dropped.
const MAX_TYPES: usize = 100;

/// Why a file is nested too deep to be compiled; none where it is not.
///
/// Types are read here exactly as wasmparser reads them, but for the one thing in which it recurses, a type of a component or of
/// an instance: its declarations are counted on a heap. So where this reader finds no more than [`MAX_TYPES`], neither does the
/// other's stack; and where this one fails, the other fails at the same byte, and has come no deeper.
pub(crate) fn trouble(bytes: &[u8]) -> Option<String> {
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::ComponentSection { .. } | Payload::ModuleSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::ComponentTypeSection(section)) => {
                let section = bytes.get(section.range()).unwrap_or_default();
                if deepest_type(section) > MAX_TYPES {
                    return Some(format!(
                        "types of components are nested more than {MAX_TYPES} deep in it, which no stack has room for; build it flatter"
                    ));
                }
            }
            Ok(_) => {}
            // What is damaged is said better by whoever compiles, and that comes no further.
            Err(_) => return None,
        }
        if depth > MAX_COMPONENTS {
            return Some(format!(
                "components are nested more than {MAX_COMPONENTS} deep in it, which takes forever to compile; build it flatter"
            ));
        }
    }
    None
}

/// How deep the types of a section are nested, or more than [`MAX_TYPES`].
fn deepest_type(section: &[u8]) -> usize {
    let mut deepest = 0;
    // It has read what is not damaged all the same.
    let _ = read_types(BinaryReader::new(section, 0), &mut deepest);
    deepest
}

fn read_types(mut reader: BinaryReader<'_>, deepest: &mut usize) -> Result<(), BinaryReaderError> {
    /// `component` or `instance`, each followed by a number of declarations.
    const COMPONENT_OR_INSTANCE: [u8; 2] = [0x41, 0x42];
    /// The declaration of a type, and that of an import, which only a component has.
    const TYPE: u8 = 0x01;
    const IMPORT: u8 = 0x03;

    // What is still to be read of the section, of a type in it, of a type in that, and so on.
    let mut left = vec![reader.read_var_u32()?];
    while let Some(innermost) = left.last_mut() {
        if *innermost == 0 {
            left.pop();
            continue;
        }
        *innermost -= 1;
        if left.len() > 1 {
            match peek(&reader)? {
                TYPE => {
                    reader.read_u8()?;
                }
                IMPORT => {
                    reader.read_u8()?;
                    reader.read::<ComponentImport<'_>>()?;
                    continue;
                }
                _ => {
                    reader.read::<InstanceTypeDeclaration<'_>>()?;
                    continue;
                }
            }
        }
        if COMPONENT_OR_INSTANCE.contains(&peek(&reader)?) {
            reader.read_u8()?;
            left.push(reader.read_var_u32()?);
            *deepest = (*deepest).max(left.len() - 1);
            if *deepest > MAX_TYPES {
                return Ok(());
            }
        } else {
            reader.read::<ComponentType<'_>>()?;
        }
    }
    Ok(())
}

fn peek(reader: &BinaryReader<'_>) -> Result<u8, BinaryReaderError> {
    reader.clone().read_u8()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A section of two types, the second of which has types in it, so deep, of component and instance in turn. Each has a
    /// declaration of another kind before the next.
    fn section(depth: usize) -> Vec<u8> {
        let mut section = vec![2, 0x73];
        for level in 0..depth {
            section.push(if level % 2 == 0 { 0x41 } else { 0x42 });
            section.extend(if level + 1 == depth {
                &[0][..]
            } else {
                // A type `u8`, and a type that follows.
                &[2, 1, 0x7d, 1]
            });
        }
        section
    }

    #[test]
    fn types_are_counted_as_deep_as_they_are_nested() {
        for depth in [0, 1, 2, 3, 99, 100] {
            let mut section = section(depth);
            if depth == 0 {
                section[0] = 1;
            }
            assert_eq!(deepest_type(&section), depth);
        }
        for depth in [101, 8_000, 1_000_000] {
            assert_eq!(deepest_type(&section(depth)), MAX_TYPES + 1);
        }
    }

    #[test]
    fn types_beside_each_other_are_not_deep() {
        let mut section = vec![0xe8, 0x07];
        section.extend([0x42, 1, 1, 0x42, 0].repeat(1_000));
        assert_eq!(deepest_type(&section), 2);
    }
}
