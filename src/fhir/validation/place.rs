//! Where an element stands; written out only when there is something to tell.

/// A step below another place.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    above: Option<&'a Place<'a>>,
    name: &'a str,
    index: Option<usize>,
}

impl<'a> Place<'a> {
    /// Where a resource begins: its type, or its place in another.
    pub(super) fn start(name: &'a str) -> Self {
        Self { above: None, name, index: None }
    }

    /// An element of it, and which of several.
    pub(super) fn below(&'a self, name: &'a str, index: Option<usize>) -> Place<'a> {
        Place { above: Some(self), name, index }
    }

    /// The name of the element.
    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// `Goal.target[0].dueDate`
    pub(super) fn path(&self) -> String {
        let mut path = self.above.map(|above| above.path() + ".").unwrap_or_default();
        path.push_str(self.name);
        if let Some(index) = self.index {
            path.push_str(&format!("[{index}]"));
        }
        path
    }
}
