//! The browser's timer.

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use js_sys::{Function, Promise, Reflect};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Waits for this long, by the browser's timer. Without one, it waits for ever.
pub fn sleep(wait: Duration) -> Sleep {
    let (mut ring, rung) = oneshot::channel();
    spawn_local(async move {
        // A longer wait than a timer takes would be over at once.
        let mut left = wait.as_millis();
        loop {
            let step = left.min(TIMER_MAX);
            let Ok(timer) = Timer::start(step as f64) else { return };
            match select(JsFuture::from(timer.promise.clone()), ring.cancellation()).await {
                Either::Left((Ok(_), _)) => {}
                Either::Left((Err(_), _)) => return,
                Either::Right(_) => return timer.stop(),
            }
            left -= step;
            if left == 0 {
                break;
            }
        }
        let _ = ring.send(());
    });
    Sleep(rung)
}

/// See [`sleep`].
#[derive(Debug)]
pub struct Sleep(oneshot::Receiver<()>);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match Pin::new(&mut self.0).poll(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(()),
            Poll::Ready(Err(oneshot::Canceled)) | Poll::Pending => Poll::Pending,
        }
    }
}

/// A timer that runs.
struct Timer {
    promise: Promise,
    id: JsValue,
}

impl Timer {
    fn start(millis: f64) -> Result<Self, JsValue> {
        let set = function("setTimeout")?;
        let mut id = Ok(JsValue::UNDEFINED);
        let promise = Promise::new(&mut |resolve, _| {
            id = set.call2(&JsValue::UNDEFINED, &resolve, &JsValue::from_f64(millis));
        });
        Ok(Self { promise, id: id? })
    }

    /// Or Node would wait for it before it ends.
    fn stop(self) {
        if let Ok(clear) = function("clearTimeout") {
            let _ = clear.call1(&JsValue::UNDEFINED, &self.id);
        }
    }
}

/// A page and a worker have it under different types, and Node under neither.
fn function(name: &str) -> Result<Function, JsValue> {
    Reflect::get(&js_sys::global(), &JsValue::from_str(name))?.dyn_into()
}

const TIMER_MAX: u128 = i32::MAX as u128;
