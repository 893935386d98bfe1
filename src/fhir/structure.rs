//! Checks a resource against the R4 structure and the profiles.

/// One problem of a resource.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Whether the resource cannot be used.
    pub fatal: bool,
    /// `IssueType` code: `structure`, `required`, `value`, `code-invalid`, `invariant`.
    pub code: &'static str,
    /// FHIRPath of the element: `Goal.target[0].dueDate`.
    pub expression: String,
    /// What is wrong and what to do, without patient data.
    pub text: String,
}

/// Checks resources: R4 structure (fhirkit) and profiles (StructureDefinitions compiled to
/// JSON Schema once). Shared between threads.
pub struct StructureCheck;

impl StructureCheck {
    /// Compiles the embedded profiles plus the given StructureDefinition and ValueSet texts.
    ///
    /// # Errors
    /// Names the definition that cannot be compiled.
    pub fn new(_definitions: &[String]) -> Result<Self, String> {
        unimplemented!()
    }

    /// All problems of one resource, given as text and as parsed value of that text.
    pub fn check(&self, _text: &str, _resource: &serde_json::Value) -> Vec<Problem> {
        unimplemented!()
    }
}
