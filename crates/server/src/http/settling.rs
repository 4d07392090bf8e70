//! What a change leaves to be done before it is answered: that whoever reads the address book next finds it, in any
//! process. Also where the client goes away and nobody is there to be answered; then as well as can be.

use actix_web::rt;
use address_book::desk::Desk;
use std::rc::Rc;
use tokio::sync::oneshot;

/// A change under way. Dropped before its end, what was written until then is settled all the same.
pub struct Settling {
    desk: Rc<Desk>,
    /// Dropped without a word where the request is.
    ended: oneshot::Sender<()>,
}

impl Settling {
    /// Begins before anything is written.
    #[must_use]
    pub fn begin(desk: &Rc<Desk>) -> Self {
        let (ended, end) = oneshot::channel();
        let left = desk.clone();
        rt::spawn(async move {
            if end.await.is_err() {
                left.settle().await;
            }
        });
        Self { desk: desk.clone(), ended }
    }

    /// Ends once everything is written.
    pub async fn end(self) {
        self.desk.settle().await;
        // Whoever waits for it has nothing else to do.
        let _heard = self.ended.send(());
    }
}
