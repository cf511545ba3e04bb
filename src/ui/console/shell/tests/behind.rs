//! What is loaded behind the first frame.

use futures::FutureExt;

use super::*;
use crate::verb::{Call, Declaration, Input, Output, Read, Verb};

struct Nothing;

#[async_trait]
impl Read for Nothing {
    async fn run(&self, _: &Call, _: &mut Input, _: &Output) -> Result<(), Report> {
        Ok(())
    }
}

#[tokio::test]
async fn what_is_loaded_behind_the_first_frame_is_known_and_what_cannot_be_is_told() {
    let (loaded, wait) = tokio::sync::oneshot::channel::<Arc<Fake>>();
    let terminal = Terminal::with(|config| {
        config.remarks = Vec::new();
        config.behind = Some(
            async move {
                let fake = wait.await.unwrap();
                let zebra = Declaration::new("zoo", "zebra", "Shows a zebra");
                *fake.catalogue.lock().unwrap() = Arc::new(Catalogue::new([Verb::read(zebra, Nothing)]));
                vec![Report::failed("E-BUNDLE-001", "the bundle of lions cannot be read")]
            }
            .boxed(),
        );
    });
    terminal.sees("❯").await;
    assert!(
        loaded.send(terminal.fake.clone()).is_ok(),
        "the first frame does not wait for it"
    );
    terminal.sees("the bundle of lions cannot be read").await;
    "zeb"
        .chars()
        .for_each(|symbol| terminal.key(KeyCode::Char(symbol), KeyModifiers::NONE));
    terminal.key(KeyCode::Tab, KeyModifiers::NONE);
    terminal.sees("zoo:zebra").await;
    for key in ['c', 'd'] {
        terminal.key(KeyCode::Char(key), KeyModifiers::CONTROL);
    }
    let (code, _) = terminal.run.await.unwrap();
    assert_eq!(code.unwrap(), 0);
}
