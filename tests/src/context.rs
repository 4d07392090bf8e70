//! Which of many cases a trial was at when it failed.

/// Says which case it stands for if the trial fails while it lives.
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
