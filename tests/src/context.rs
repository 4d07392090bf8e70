//! Shows which of many cases a trial was running when it failed.

/// Prints its case if the trial fails while this value lives.
pub struct Context(String);

impl Context {
    /// Names a case.
    pub fn new(case: impl Into<String>) -> Self {
        Self(case.into())
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("  in the case {}", self.0);
        }
    }
}
